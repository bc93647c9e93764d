// hot path
import type { Connection } from '../connection/connection.js';
import type { Membership } from '../connection/membership.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Outbox } from '../outbound/outbox.js';
import type { SnapshotRun } from '../stream/snapshot-run.js';
import { Hold } from './hold.js';

/** One connection on one topic, live. */
export class Subscription implements Membership {
  readonly live = true;
  /** Its place in the topic's list. */
  index = -1;
  // The connection's own, kept here because `deliver` asks every subscriber for it: one far-off read less each time.
  readonly outbox: Outbox;

  constructor(
    readonly connection: Connection,
    private readonly topic: Topic,
    /** Offsets up to here have been sent; what comes late is not sent again. */
    readonly after: number,
  ) {
    this.outbox = connection.outbox;
  }

  leave(): void {
    this.topic.remove(this);
  }
}

/** A topic that somebody on this instance reads, or is about to. */
export class Topic {
  readonly subscriptions: Subscription[] = [];
  /** The snapshot that is being made now; whoever comes meanwhile shares it. */
  snapshotRun: SnapshotRun | undefined;
  private readonly holds = new Set<Hold>();

  constructor(
    readonly name: string,
    /** Settles when the broker's subscription is in force, or has failed. */
    readonly ready: Promise<void>,
    private readonly onUnused: (topic: Topic) => void,
  ) {}

  /** Hands one publication to all; returns how many live subscribers it had. */
  deliver(epoch: string, offset: number, frame: SharedFrame): number {
    const { subscriptions } = this;
    const count = subscriptions.length;
    // Backwards: a peer that is too slow leaves during the loop, and its place is filled from the end.
    for (let i = count - 1; i >= 0; i--) {
      const subscription = subscriptions[i];
      if (subscription !== undefined && offset > subscription.after) subscription.outbox.push(frame);
    }
    if (this.holds.size > 0) for (const hold of this.holds) hold.add(epoch, offset, frame);
    return count;
  }

  add(connection: Connection, after: number): Subscription {
    const subscription = new Subscription(connection, this, after);
    subscription.index = this.subscriptions.push(subscription) - 1;
    return subscription;
  }

  remove(subscription: Subscription): void {
    const { index } = subscription;
    if (index < 0) return;
    subscription.index = -1;
    const last = this.subscriptions.pop();
    if (last !== undefined && last !== subscription) {
      last.index = index;
      this.subscriptions[index] = last;
    }
    this.checkUse();
  }

  /** Starts to hold back; every hold is given back by `release`. */
  hold(): Hold {
    const hold = new Hold();
    this.holds.add(hold);
    return hold;
  }

  release(hold: Hold): void {
    this.holds.delete(hold);
    this.checkUse();
  }

  private checkUse(): void {
    if (this.subscriptions.length === 0 && this.holds.size === 0) this.onUnused(this);
  }
}

// hot path
import type { Connection } from '../connection/connection.js';
import type { Membership } from '../connection/membership.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Outbox } from '../outbound/outbox.js';
import type { Publication } from '../ports/broker.js';
import type { SnapshotRun } from '../stream/snapshot-run.js';
import { Hold } from './hold.js';

/** Where a subscription waits for a fresh start. */
export interface WaitingRoom {
  /** The subscription has ended. */
  left(subscription: Subscription): void;
}

/** What has been begun because a topic's publications are not in their order. */
export interface Healing {
  /** Takes what comes meanwhile. */
  take(epoch: string, publication: Publication): void;
  /** Settles when the broker has answered once more, or has failed to. */
  readonly tried: Promise<void>;
  /** The topic is closed. */
  over(): void;
}

/** One connection on one topic. */
export class Subscription implements Membership {
  readonly live = true;
  /** Its place in the topic's list; -1 while nothing is delivered to it. */
  index = -1;
  /** Where it waits meanwhile. */
  room: WaitingRoom | undefined;
  // The connection's own, kept here because `deliver` asks every subscriber for it: one far-off read less each time.
  readonly outbox: Outbox;

  constructor(
    readonly connection: Connection,
    private readonly topic: Topic,
    /** Offsets up to here have been sent; what comes late is not sent again. */
    public after: number,
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
  /** Those that wait for a fresh start; they are subscriptions all the same. */
  readonly paused = new Set<Subscription>();
  /** What was delivered last; unknown, and 0, before the first publication and the first subscriber. */
  epoch: string | undefined;
  offset = 0;
  /** While it is there, nothing is delivered: something is missing before it. */
  healing: Healing | undefined;
  /** The snapshot that is being made now; whoever comes meanwhile shares it. */
  snapshotRun: SnapshotRun | undefined;
  private readonly holds = new Set<Hold>();

  constructor(
    readonly name: string,
    /** Settles when the broker's subscription is in force, or has failed. */
    readonly ready: Promise<void>,
    private readonly onUnused: (topic: Topic) => void,
  ) {}

  /** Whether somebody here has a position that must be continued. */
  get hasReaders(): boolean {
    return this.subscriptions.length > 0 || this.paused.size > 0;
  }

  /** Whether a publication is the one after the last, and can be delivered at once. */
  isNext(epoch: string, offset: number): boolean {
    return offset === this.offset + 1 && epoch === this.epoch && this.healing === undefined;
  }

  /** Hands one publication to all; returns how many live subscribers it had. */
  deliver(epoch: string, offset: number, frame: SharedFrame): number {
    const { subscriptions } = this;
    const count = subscriptions.length;
    this.epoch = epoch;
    this.offset = offset;
    // Backwards: a peer that is too slow leaves during the loop, and its place is filled from the end.
    for (let i = count - 1; i >= 0; i--) {
      const subscription = subscriptions[i];
      if (subscription !== undefined && offset > subscription.after) subscription.outbox.push(frame);
    }
    if (this.holds.size > 0) for (const hold of this.holds) hold.add(epoch, offset, frame);
    return count;
  }

  /**
   * Whether a subscriber who has everything up to this position can be delivered to from now on. Where nobody else reads
   * the topic, it goes on from there.
   */
  continues(epoch: string, offset: number): boolean {
    return !this.hasReaders || (epoch === this.epoch && offset >= this.offset);
  }

  /** A subscriber who has everything up to a position that `continues`. */
  add(connection: Connection, epoch: string, after: number): Subscription {
    if (epoch !== this.epoch || after < this.offset) {
      this.epoch = epoch;
      this.offset = after;
    }
    const subscription = new Subscription(connection, this, after);
    this.resume(subscription, after);
    return subscription;
  }

  /** Delivers to the subscription from now on. */
  resume(subscription: Subscription, after: number): void {
    this.paused.delete(subscription);
    subscription.room = undefined;
    subscription.after = after;
    subscription.index = this.subscriptions.push(subscription) - 1;
  }

  /** Delivers nothing to the subscription until it is resumed; it stays one. */
  pause(subscription: Subscription, room: WaitingRoom): void {
    this.takeOut(subscription);
    this.paused.add(subscription);
    subscription.room = room;
  }

  /** Ends the subscription. */
  remove(subscription: Subscription): void {
    const { room } = subscription;
    if (subscription.index < 0 && room === undefined) return;
    this.takeOut(subscription);
    this.paused.delete(subscription);
    subscription.room = undefined;
    room?.left(subscription);
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

  private takeOut(subscription: Subscription): void {
    const { index } = subscription;
    if (index < 0) return;
    subscription.index = -1;
    const last = this.subscriptions.pop();
    if (last !== undefined && last !== subscription) {
      last.index = index;
      this.subscriptions[index] = last;
    }
  }

  private checkUse(): void {
    if (!this.hasReaders && this.holds.size === 0) this.onUnused(this);
  }
}

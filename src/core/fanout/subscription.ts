// hot path
import type { Connection } from '../connection/connection.js';
import type { Membership, Wanted } from '../connection/membership.js';
import type { SnapshotPages } from '../frame/pages.js';
import { Pager } from '../outbound/pager.js';
import type { Outbox } from '../outbound/outbox.js';
import type { PacedReader } from '../pace/own-pace.js';
import type { Pace } from '../pace/pace.js';
import type { Observer } from '../ports/observer.js';
import type { SharedFrame } from '../frame/shared-frame.js';

/** Where a subscription waits for a fresh start. */
export interface ResyncQueue {
  /** The subscription has ended. */
  left(subscription: Subscription): void;
}

/** What a subscription needs from its topic. */
export interface SubscribedTopic {
  remove(subscription: Subscription): void;
  /** Publications from an offset on were dropped for a slow subscriber. */
  leftOut(subscription: Subscription, from: number): void;
}

/** Subscription of one connection to one topic. */
export class Subscription implements Membership, PacedReader {
  readonly live = true;
  /** Index in the topic's list, or -1 while nothing is delivered to it. */
  index = -1;
  /** Queue in which it waits for a fresh start. */
  room: ResyncQueue | undefined;
  /** Pace of delivery, if it does not simply get each publication at once. */
  pace: Pace | undefined;
  /** Pages of its snapshot that are not sent yet. */
  private pager: Pager | undefined;
  /** Maximum size of a message that the peer accepts, in bytes. */
  readonly maxBytes: number;
  /** Whether a large snapshot may come in pages. [L-6.10] */
  readonly pages: boolean;
  /** Whether a new snapshot comes to it as a list of entries. [L-6.11] */
  readonly entries: boolean;
  // Copied from the connection, so that `deliver` reads one object fewer per subscriber.
  readonly outbox: Outbox;

  constructor(
    readonly connection: Connection,
    private readonly topic: SubscribedTopic,
    /** Last offset that was sent. Late copies are not sent again. */
    public after: number,
    { maxBytes = Infinity, pages = false, entries = false }: Wanted = {},
  ) {
    this.maxBytes = maxBytes;
    this.pages = pages;
    this.entries = entries;
    this.outbox = connection.outbox;
  }

  /** Whether it gets every publication at once, of any size, like most subscriptions. */
  get takesAll(): boolean {
    return this.pace === undefined && this.maxBytes === Infinity;
  }

  /**
   * First offset not yet covered by any frame sent to this subscriber; unpaced subscribers have
   * everything before `from`.
   */
  firstUnsent(from: number): number {
    return this.pace?.next ?? Math.max(this.after + 1, from);
  }

  /** It has everything up to this offset, or was notified of the loss, and continues from there. */
  goOnAfter(offset: number): void {
    this.after = offset;
    this.pace?.restart(offset);
  }

  /** Sends these pages as the peer reads, after everything sent so far. */
  send(pages: SnapshotPages, observer: Observer): void {
    this.pager = new Pager(pages, observer);
    this.outbox.wait(this.pager, 0, 0);
  }

  /** Nothing that waits for a rate or is left of a snapshot is sent any more. */
  stopSending(): void {
    this.pace?.stop();
    this.pager?.stop();
  }

  leftOut(from: number): void {
    this.topic.leftOut(this, from);
  }

  leave(): void {
    this.topic.remove(this);
  }
}

/** The subscriptions that a topic delivers to. */
export class Subscribers {
  all: Subscription[] = [];
  // Outboxes of `all`, same order. Fan-out touches only these and avoids a cache miss per
  // subscription.
  private outboxes: Outbox[] = [];
  /** Number of subscriptions that do not simply get each publication. */
  private apart = 0;
  private latestStart = 0;

  get count(): number {
    return this.all.length;
  }

  add(subscription: Subscription): void {
    this.append(subscription);
    if (!subscription.takesAll) this.apart += 1;
    this.latestStart =
      this.all.length === 1 ? subscription.after : Math.max(this.latestStart, subscription.after);
  }

  /** `push` reserves room for 17 entries, and most topics of a large server have one reader. */
  private append(subscription: Subscription): void {
    const index = this.all.length;
    subscription.index = index;
    if (index === 0) {
      this.all = [subscription];
      this.outboxes = [subscription.outbox];
    } else {
      this.all.push(subscription);
      this.outboxes.push(subscription.outbox);
    }
  }

  remove(subscription: Subscription): void {
    const { index } = subscription;
    if (index < 0) return;
    subscription.index = -1;
    if (!subscription.takesAll) this.apart -= 1;
    const last = this.all.pop();
    const outbox = this.outboxes.pop();
    if (last === undefined || outbox === undefined || last === subscription) return;
    last.index = index;
    this.all[index] = last;
    this.outboxes[index] = outbox;
  }

  /** Offsets start over. */
  startOver(): void {
    this.latestStart = 0;
  }

  /** Whether every subscription gets everything from this offset on, at once. */
  allTakeFrom(offset: number): boolean {
    return this.apart === 0 && this.latestStart < offset;
  }

  push(frame: SharedFrame): void {
    const { outboxes } = this;
    // Backwards: a peer that is too slow is removed in the loop, and the last one takes its place.
    for (let i = outboxes.length - 1; i >= 0; i--) outboxes[i]?.push(frame);
  }
}

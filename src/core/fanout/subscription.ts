// hot path
import type { Connection } from '../connection/connection.js';
import type { Membership } from '../connection/membership.js';
import type { Outbox } from '../outbound/outbox.js';
import type { PacedReader } from '../pace/own-pace.js';
import type { Pace } from '../pace/pace.js';

/** Where a subscription waits for a fresh start. */
export interface WaitingRoom {
  /** The subscription has ended. */
  left(subscription: Subscription): void;
}

/** What a subscription needs of its topic. */
export interface SubscribedTopic {
  remove(subscription: Subscription): void;
  /** Publications from an offset on were left out for a subscriber that was too slow. */
  leftOut(subscription: Subscription, from: number): void;
}

/** One connection on one topic. */
export class Subscription implements Membership, PacedReader {
  readonly live = true;
  /** Its place in the topic's list; -1 while nothing is delivered to it. */
  index = -1;
  /** Where it waits meanwhile. */
  room: WaitingRoom | undefined;
  /** How it gets publications, where it does not simply get each at once. */
  pace: Pace | undefined;
  // The connection's own, kept here because `deliver` asks every subscriber for it: one far-off read less each time.
  readonly outbox: Outbox;

  constructor(
    readonly connection: Connection,
    private readonly topic: SubscribedTopic,
    /** Offsets up to here have been sent; what comes late is not sent again. */
    public after: number,
    /** Bytes of the largest message that its peer takes. */
    readonly mostBytes = Infinity,
  ) {
    this.outbox = connection.outbox;
  }

  /** Whether it gets the same as most: every publication at once, however large. */
  get takesAll(): boolean {
    return this.pace === undefined && this.mostBytes === Infinity;
  }

  /** The first offset that it was not sent, and is not stood for by what it was, where others were sent all before `from`. */
  firstUnsent(from: number): number {
    return this.pace?.next ?? Math.max(this.after + 1, from);
  }

  /** It has everything up to this offset, or is told otherwise, and goes on from there. */
  goOnAfter(offset: number): void {
    this.after = offset;
    this.pace?.restart(offset);
  }

  leftOut(from: number): void {
    this.topic.leftOut(this, from);
  }

  leave(): void {
    this.topic.remove(this);
  }
}

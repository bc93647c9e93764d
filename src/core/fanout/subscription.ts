// hot path
import type { Connection } from '../connection/connection.js';
import type { Membership } from '../connection/membership.js';
import type { Outbox } from '../outbound/outbox.js';
import type { PacedReader } from '../pace/own-pace.js';
import type { Pace } from '../pace/pace.js';

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
  // Copied from the connection, so that `deliver` reads one object fewer per subscriber.
  readonly outbox: Outbox;

  constructor(
    readonly connection: Connection,
    private readonly topic: SubscribedTopic,
    /** Last offset that was sent. Late copies are not sent again. */
    public after: number,
    /** Maximum size of a message that the peer accepts, in bytes. */
    readonly maxBytes = Infinity,
  ) {
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

  leftOut(from: number): void {
    this.topic.leftOut(this, from);
  }

  leave(): void {
    this.topic.remove(this);
  }
}

// hot path
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Outbox } from '../outbound/outbox.js';
import type { Subscription } from './subscription.js';

/** The subscriptions that a topic delivers to. */
export class Subscribers {
  readonly all: Subscription[] = [];
  // Outboxes of `all`, same order. Fan-out touches only these and avoids a cache miss per
  // subscription.
  private readonly outboxes: Outbox[] = [];
  /** Number of subscriptions that do not simply get each publication. */
  private apart = 0;
  private latestStart = 0;

  get count(): number {
    return this.all.length;
  }

  add(subscription: Subscription): void {
    subscription.index = this.all.push(subscription) - 1;
    this.outboxes.push(subscription.outbox);
    if (!subscription.takesAll) this.apart += 1;
    this.latestStart =
      this.all.length === 1 ? subscription.after : Math.max(this.latestStart, subscription.after);
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

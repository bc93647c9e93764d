// hot path
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Outbox } from '../outbound/outbox.js';
import type { Subscription } from './subscription.js';

/** Those whom a topic delivers to. */
export class Subscribers {
  readonly all: Subscription[] = [];
  // Theirs, in the same order: with it a publication for all reads no subscription, each of which lies somewhere else.
  private readonly outboxes: Outbox[] = [];
  /** Those that do not simply get each publication. */
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

  /** Offsets begin anew. */
  startOver(): void {
    this.latestStart = 0;
  }

  /** Whether each of them gets everything from this offset on, and at once. */
  allTakeFrom(offset: number): boolean {
    return this.apart === 0 && this.latestStart < offset;
  }

  push(frame: SharedFrame): void {
    const { outboxes } = this;
    // Backwards: a peer that is too slow leaves during the loop, and its place is filled from the end.
    for (let i = outboxes.length - 1; i >= 0; i--) outboxes[i]?.push(frame);
  }
}

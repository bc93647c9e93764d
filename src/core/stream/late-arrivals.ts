import type { Topic } from '../fanout/topic.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Position } from '../../protocol/position.js';

/** Maximum transit time of a publication from the broker, in milliseconds. */
export const onTheWayMs = 1_000;

/**
 * A timer this late, in milliseconds, shows that the process was suspended and received nothing in
 * between.
 */
export const stoodStillMs = 250;

interface LateArrival {
  readonly position: Position;
  dueMs: number;
  /** A later position that became doubtful since. */
  next?: Position;
}

/**
 * Publications that the broker announced, does not keep, and has not delivered. They may still be
 * in transit, so they are given up only after a delay, unless a later one arrives first.
 */
export class LateArrivals {
  private readonly upTo = new Map<Topic, LateArrival>();
  private cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onOver: (topic: Topic, upTo: Position) => void,
  ) {}

  add(topic: Topic, position: Position): void {
    const known = this.upTo.get(topic);
    if (known === undefined) this.begin(topic, position);
    else known.next = position;
    this.plan();
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.upTo.clear();
  }

  private begin(topic: Topic, position: Position): void {
    this.upTo.set(topic, { position, dueMs: this.clock.now() + onTheWayMs });
  }

  private plan(): void {
    const [first] = this.upTo.values();
    if (first === undefined || this.cancel !== undefined) return;
    this.cancel = this.clock.after(Math.max(0, first.dueMs - this.clock.now()), () => {
      this.cancel = undefined;
      const lateMs = this.clock.now() - first.dueMs;
      if (lateMs < stoodStillMs) this.look();
      else for (const doubt of this.upTo.values()) doubt.dueMs += lateMs + onTheWayMs;
      this.plan();
    });
  }

  private look(): void {
    const now = this.clock.now();
    for (const [topic, { position, dueMs, next }] of this.upTo) {
      if (dueMs > now) return;
      this.upTo.delete(topic);
      this.onOver(topic, position);
      if (next !== undefined) this.begin(topic, next);
    }
  }
}

import type { Topic } from '../fanout/topic.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Position } from '../../protocol/position.js';

/** How long a publication may be on its way from the broker, in milliseconds. */
export const onTheWayMs = 1_000;

/** A timer that is so much too late, in milliseconds, shows that the process stood still, and took nothing in meanwhile. */
export const stoodStillMs = 250;

interface LateArrival {
  readonly position: Position;
  dueMs: number;
  /** What was doubted since. */
  next?: Position;
}

/**
 * Publications that the broker has had and does not keep, and that have not come: they may still be on their way, so they
 * are given up a little later, unless one that comes after them is there first.
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

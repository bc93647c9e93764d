import type { Clock } from '../../core/ports/clock.js';

/** Milliseconds left to another instance: time for a read, an append and one retry. */
const giveWayMs = 10;
const maxTopics = 1_000;

/** Topics in which another instance requested a turn, by their tokens in subjects. */
export class TopicYields {
  private readonly untilMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.untilMs.size;
  }

  giveWay(token: string): void {
    if (this.untilMs.size >= maxTopics) this.untilMs.clear();
    this.untilMs.set(token, this.clock.now() + giveWayMs * (0.5 + this.clock.random()));
  }

  /** Milliseconds to wait before the next message to the topic. */
  waitMs(token: string): number {
    if (this.untilMs.size === 0) return 0;
    const waitMs = (this.untilMs.get(token) ?? 0) - this.clock.now();
    if (waitMs <= 0) this.untilMs.delete(token);
    return waitMs;
  }
}

// hot path
import type { Clock } from '../ports/clock.js';
import { Sequence } from './sequence.js';

/** What waits for the end of a tick. */
export interface Flushable {
  tick(): void;
}

/** Writes what the outboxes hold: once per tick, one write for each of them. */
export class Flusher {
  /** Where every empty outbox of this tick starts. */
  start = Sequence.empty();
  private waiting: Flushable[] = [];

  constructor(private readonly clock: Clock) {}

  /** Has the outbox flushed at the end of this tick. */
  add(outbox: Flushable): void {
    if (this.waiting.length === 0) this.clock.soon(this.flushAll);
    this.waiting.push(outbox);
  }

  private readonly flushAll = (): void => {
    const outboxes = this.waiting;
    this.waiting = [];
    this.start = Sequence.empty();
    for (let i = 0; i < outboxes.length; i++) outboxes[i]?.tick();
  };
}

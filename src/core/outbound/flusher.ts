// hot path
import { Buffer } from 'node:buffer';
import type { Clock } from '../ports/clock.js';
import { Joins } from './joins.js';
import { Slab } from './slab.js';

/** What waits for the end of a tick. */
export interface Flushable {
  tick(): void;
}

/** Writes what the outboxes hold: once per tick, one write for each of them. */
export class Flusher {
  private readonly slab = new Slab();
  private readonly joins = new Joins((byteLength) => this.slab.take(byteLength));
  private readonly joinsBehind = new Joins((byteLength) => Buffer.allocUnsafeSlow(byteLength));
  private waiting: Flushable[] = [];

  constructor(private readonly clock: Clock) {}

  /** Has the outbox flushed at the end of this tick. */
  add(outbox: Flushable): void {
    if (this.waiting.length === 0) this.clock.soon(this.flushAll);
    this.waiting.push(outbox);
  }

  /** What a peer behind is given may wait for long, and must not keep a whole slab in memory. */
  joinsFor(bufferedBytes: number): Joins {
    return bufferedBytes > 0 ? this.joinsBehind : this.joins;
  }

  private readonly flushAll = (): void => {
    const outboxes = this.waiting;
    this.waiting = [];
    for (let i = 0; i < outboxes.length; i++) outboxes[i]?.tick();
    this.joins.forget();
    this.joinsBehind.forget();
  };
}

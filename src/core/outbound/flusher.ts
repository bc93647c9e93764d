// hot path
import type { Clock } from '../ports/clock.js';
import { Joins } from './joins.js';

/** What waits for the end of a tick. */
export interface Flushable {
  /** Looks whether it can be written to: just before `tick`, with nothing between them but other outboxes. */
  look(): void;
  tick(): void;
}

/** What is gathered for many outboxes, and handed to them at its end. */
export interface Gathered {
  end(): void;
}

/** Milliseconds after which writing makes room for everything else: reading, pings, other timers. */
export const sliceMs = 10;

/** Writes between two looks at the clock, and of one round before it is the next one's turn. */
const chunk = 64;

/** Those who were sent something in one tick. */
interface Round {
  readonly outboxes: readonly Flushable[];
  next: number;
}

/**
 * Writes what the outboxes hold: once per tick, one write for each of them. A write to a socket is a system call: many of
 * them are made in slices, and the rounds of several ticks take turns, so that a large audience holds up nobody. [L-9.7]
 */
export class Flusher {
  readonly joins = new Joins();
  private gathered: Gathered[] = [];
  private waiting: Flushable[] = [];
  private rounds: Round[] = [];
  private planned = false;

  constructor(private readonly clock: Clock) {}

  /** Has the outbox flushed at the end of this tick. */
  add(outbox: Flushable): void {
    if (!this.planned) this.plan();
    this.waiting.push(outbox);
  }

  /** Has it end before this tick's frames are written. */
  beforeWriting(gathered: Gathered): void {
    if (!this.planned) this.plan();
    this.gathered.push(gathered);
  }

  /** What topics have gathered in this tick comes before anything else that is said now. */
  endGathering(): void {
    if (this.gathered.length === 0) return;
    const { gathered } = this;
    this.gathered = [];
    for (const each of gathered) each.end();
  }

  private plan(): void {
    this.planned = true;
    this.clock.soon(this.writeSlice);
  }

  private readonly writeSlice = (): void => {
    this.endGathering();
    this.planned = false;
    if (this.waiting.length > 0) {
      this.rounds.push({ outboxes: this.waiting, next: 0 });
      this.waiting = [];
    }
    const end = this.clock.now() + sliceMs;
    while (this.rounds.length > 0) {
      for (let i = 0; i < this.rounds.length; i++) writeChunk(this.rounds[i]);
      this.rounds = this.rounds.filter(({ outboxes, next }) => next < outboxes.length);
      if (this.clock.now() >= end) break;
    }
    this.joins.forget();
    if ((this.rounds.length > 0 || this.gathered.length > 0) && !this.planned) this.plan();
  };
}

function writeChunk(round: Round | undefined): void {
  if (round === undefined) return;
  const { outboxes } = round;
  const end = Math.min(outboxes.length, round.next + chunk);
  // Every connection lies somewhere else in memory, and a system call forgets what was near. Read in a row, they are
  // fetched at the same time instead of one after the other.
  for (let i = round.next; i < end; i++) outboxes[i]?.look();
  for (let i = round.next; i < end; i++) outboxes[i]?.tick();
  round.next = end;
}

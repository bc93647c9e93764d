// hot path
import type { Clock } from '../ports/clock.js';
import type { WriteBatch } from '../ports/socket.js';
import { Joins } from './joins.js';

/** An outbox that waits for the end of the tick. */
export interface Flushable {
  /**
   * Checks whether it is writable. Called just before `tick`, with only other outboxes in between.
   */
  look(): void;
  tick(): void;
}

/** Publications gathered for many outboxes, handed to them when gathering ends. */
export interface Gathered {
  end(): void;
}

/** Maximum milliseconds of writing before reading, pings and other timers get a turn. */
export const sliceMs = 10;

/**
 * Writes per round before the next round gets a turn. The clock is checked after one chunk of each
 * round.
 */
const chunk = 64;

/** The outboxes of one tick. */
interface Round {
  readonly outboxes: readonly Flushable[];
  next: number;
}

/**
 * Flushes outboxes once per tick, with one write each. A write is a system call, so many writes are
 * split into slices, and the rounds of several ticks alternate: a large audience delays nobody.
 * [L-9.7]
 */
export class Flusher {
  readonly joins = new Joins();
  private gathered: Gathered[] = [];
  private waiting: Flushable[] = [];
  private rounds: Round[] = [];
  private planned = false;

  constructor(
    private readonly clock: Clock,
    private readonly batch?: WriteBatch,
  ) {}

  /** Flushes the outbox at the end of this tick. */
  add(outbox: Flushable): void {
    if (!this.planned) this.plan();
    this.waiting.push(outbox);
  }

  /** Ends the gathering before the frames of this tick are written. */
  beforeWriting(gathered: Gathered): void {
    if (!this.planned) this.plan();
    this.gathered.push(gathered);
  }

  /** Sends gathered publications before any frame that is pushed now. */
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
    this.batch?.start();
    try {
      this.writeRounds(this.clock.now() + sliceMs);
    } finally {
      this.batch?.end();
    }
    this.joins.forget();
    if ((this.rounds.length > 0 || this.gathered.length > 0) && !this.planned) this.plan();
  };

  private writeRounds(end: number): void {
    while (this.rounds.length > 0) {
      for (let i = 0; i < this.rounds.length; i++) writeChunk(this.rounds[i]);
      this.rounds = this.rounds.filter(({ outboxes, next }) => next < outboxes.length);
      if (this.clock.now() >= end) break;
    }
  }
}

function writeChunk(round: Round | undefined): void {
  if (round === undefined) return;
  const { outboxes } = round;
  const end = Math.min(outboxes.length, round.next + chunk);
  // Connections are scattered in memory, and a system call evicts caches. Reading many in a row
  // lets the CPU fetch them in parallel.
  for (let i = round.next; i < end; i++) outboxes[i]?.look();
  for (let i = round.next; i < end; i++) outboxes[i]?.tick();
  round.next = end;
}

import { thorough } from '../../support/thorough.js';

/** Reproducible randomness: the same seed gives the same abuse. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** In [0, 1). Mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer from 0 to `end` - 1. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }

  /** Another generator, so that concurrent work does not depend on its scheduling. */
  fork(): Random {
    return new Random(this.below(2 ** 32));
  }
}

export interface AbuseRun {
  readonly random: Random;
  readonly count: number;
  /** The time limit for a test of this run. */
  readonly timeoutMs: number;
}

/** `ABUSE_SEED` repeats a run, `ABUSE_COUNT` makes a longer one. Outside CI a run is a quarter. */
export function abuseRun(title: string, count: number): AbuseRun {
  const seed = Number(process.env['ABUSE_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  const total = Number(process.env['ABUSE_COUNT'] ?? (thorough ? count : count / 4));
  process.stdout.write(`${title}: ABUSE_SEED=${String(seed)} ABUSE_COUNT=${String(total)}\n`);
  return { random: new Random(seed), count: total, timeoutMs: 120_000 * Math.max(1, total / count) };
}

import type { Timeline } from './timeline.js';

/** The fate of a delivery: it never arrives, it arrives twice, or later ones overtake it. */
export type Mishap = 'lose' | 'twice' | 'late';

export interface Mishaps {
  readonly how: Mishap;
  /** Number of deliveries. */
  readonly count: number;
  /** Additional delay of late and duplicate deliveries, in milliseconds. */
  readonly ms: number;
}

/**
 * Milliseconds within which the server must notice and repair a missed delivery: the period of its
 * check, its wait for late deliveries, the same again after a stall, and a margin.
 */
const noticedWithinMs = 4_000;

/**
 * Tracks what goes wrong between broker and server, and whether the server may be unaware of it.
 */
export class Disturbances {
  /** Whether the whole broker is unavailable. */
  away = false;
  private readonly mishaps = new Map<string, { how: Mishap; left: number; ms: number }>();
  private readonly since = new Map<string, number>();
  private allSince = -Infinity;

  constructor(private readonly timeline: Timeline) {}

  /** Schedules a mishap for the next deliveries of the topic. */
  plan(topic: string, { how, count, ms }: Mishaps): void {
    this.mishaps.set(topic, { how, left: count, ms });
  }

  /** The mishap of the next delivery. */
  next(topic: string): { readonly how: Mishap; readonly ms: number } | undefined {
    const mishap = this.mishaps.get(topic);
    if (mishap === undefined) return undefined;
    mishap.left -= 1;
    if (mishap.left <= 0) this.mishaps.delete(topic);
    return mishap;
  }

  /** Records that a delivery of the topic just failed. */
  happened(topic: string): void {
    this.since.set(topic, this.awakeMs);
  }

  /** The broker is back; the server learns of all failures from now on. */
  back(): void {
    this.away = false;
    this.allSince = this.awakeMs;
  }

  end(): void {
    this.mishaps.clear();
  }

  /** Whether anything ever went wrong with the topic. */
  hadAny(topic: string): boolean {
    return this.away || this.allSince > -Infinity || this.since.has(topic);
  }

  /** Whether the server may not have noticed or repaired it yet. */
  isFresh(topic: string): boolean {
    const sinceMs = Math.max(this.allSince, this.since.get(topic) ?? -Infinity);
    return this.away || this.awakeMs - sinceMs < noticedWithinMs;
  }

  /** Time during which the process did not stall. */
  private get awakeMs(): number {
    return this.timeline.nowMs - this.timeline.stalledMs;
  }
}

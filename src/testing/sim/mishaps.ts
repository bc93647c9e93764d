import type { Timeline } from './timeline.js';

/** What happens to a delivery: it never arrives, it arrives twice, or the ones after it overtake it. */
export type Mishap = 'lose' | 'twice' | 'late';

export interface Mishaps {
  readonly how: Mishap;
  /** So many deliveries. */
  readonly count: number;
  /** How much later the late ones and the second ones come, in milliseconds. */
  readonly ms: number;
}

/**
 * How long the server may need to notice what it was not told, and to make it good, in milliseconds: the period of its
 * check, what it waits for what may be on its way, the same again when the process stood still, and some.
 */
const noticedWithinMs = 4_000;

/** What goes wrong between the broker and the server, and whether the server may not know of it yet. */
export class Disturbances {
  /** Whether the whole broker is away. */
  away = false;
  private readonly mishaps = new Map<string, { how: Mishap; left: number; ms: number }>();
  private readonly since = new Map<string, number>();
  private allSince = -Infinity;

  constructor(private readonly timeline: Timeline) {}

  /** From now on so many deliveries of the topic have this mishap. */
  plan(topic: string, { how, count, ms }: Mishaps): void {
    this.mishaps.set(topic, { how, left: count, ms });
  }

  /** What happens to the next delivery. */
  next(topic: string): { readonly how: Mishap; readonly ms: number } | undefined {
    const mishap = this.mishaps.get(topic);
    if (mishap === undefined) return undefined;
    mishap.left -= 1;
    if (mishap.left <= 0) this.mishaps.delete(topic);
    return mishap;
  }

  /** Something of the topic went wrong just now. */
  happened(topic: string): void {
    this.since.set(topic, this.awakeMs);
  }

  /** The broker is back: whatever happened meanwhile is known from now on. */
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

  /** Whether the server may not have noticed yet, or not made it good. */
  isFresh(topic: string): boolean {
    const sinceMs = Math.max(this.allSince, this.since.get(topic) ?? -Infinity);
    return this.away || this.awakeMs - sinceMs < noticedWithinMs;
  }

  /** Time in which the process did not stand still. */
  private get awakeMs(): number {
    return this.timeline.nowMs - this.timeline.stalledMs;
  }
}

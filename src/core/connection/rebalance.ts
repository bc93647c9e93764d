import { LiveError } from '../../protocol/live.error.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Connection } from './connection.js';
import type { Registry } from './registry.js';
import { attempt, maxGraceMs, perTurn, Slots } from './slots.js';

/** Longest window: an hour. */
const maxWindowMs = 3_600_000;

/** Which part of the connections is sent away, and how fast. */
export interface RebalanceOptions {
  /** Part of this instance's connections, above 0 and at most 1. */
  readonly share: number;
  /**
   * Milliseconds over which they leave at most, 0 to 3,600,000. It takes less if that is enough for
   * about 200 connections a second.
   * @default 10_000
   */
  readonly windowMs?: number | undefined;
}

/** The outcome of a `rebalance`. */
export interface RebalanceResult {
  /** Open connections at its beginning. */
  readonly connections: number;
  /** Connections that were asked to leave. */
  readonly asked: number;
  /** Of those, the ones that have ended. The others stay connected. */
  readonly left: number;
}

/** Sends a part of the connections to other instances, one rebalance at a time. [L-10.9] */
export class Rebalance {
  private end: (() => void) | undefined;

  constructor(
    private readonly registry: Registry,
    private readonly clock: Clock,
  ) {}

  /**
   * Resolves 1.5 s after the last slot, or when it is stopped.
   *
   * @throws LiveError `validation-failed` for options out of range, `unavailable` during another
   */
  run({ share, windowMs = 10_000 }: RebalanceOptions): Promise<RebalanceResult> {
    if (typeof share !== 'number' || !(share > 0 && share <= 1))
      throw new LiveError('validation-failed', '`share` must be above 0 and at most 1');
    if (typeof windowMs !== 'number' || !(windowMs >= 0 && windowMs <= maxWindowMs))
      throw new LiveError('validation-failed', `\`windowMs\` must be 0 to ${String(maxWindowMs)}`);
    if (this.end !== undefined) throw new LiveError('unavailable', 'A rebalance is in progress');
    const { clock } = this;
    const all = [...this.registry];
    const leaving = partOf(all, share);
    const slots = new Slots(leaving.length, windowMs);
    const startMs = clock.now();
    const asked: Connection[] = [];
    let place = 0;
    const announce = (): void => {
      for (const connection of leaving.slice(place, place + perTurn)) {
        const message = slots.message(place++, clock.now() - startMs);
        if (!connection.open) continue;
        asked.push(connection);
        attempt(() => connection.send(message));
      }
      if (place < leaving.length && this.end !== undefined) clock.soon(announce);
    };
    return new Promise((resolve) => {
      let cancel: Cancel | undefined;
      this.end = () => {
        this.end = undefined;
        cancel?.();
        const left = asked.filter((each) => this.registry.get(each.id) !== each).length;
        resolve({ connections: all.length, asked: asked.length, left });
      };
      announce();
      if (leaving.length === 0) this.end();
      else cancel = clock.after(slots.spreadMs + slots.lengthMs + maxGraceMs, () => this.end?.());
    });
  }

  /** Ends a rebalance early: a drain sends everybody away. */
  stop(): void {
    this.end?.();
  }
}

/** A part of the connections, taken evenly from the oldest to the newest. */
function partOf(all: readonly Connection[], share: number): Connection[] {
  const count = Math.round(all.length * share);
  return all.filter(
    (_, i) => Math.floor(((i + 1) * count) / all.length) > Math.floor((i * count) / all.length),
  );
}

import type { StreamInfo } from '@nats-io/jetstream';
import type { Clock } from '../../core/ports/clock.js';

/** Milliseconds by which clocks may differ before the difference is reported and applied. */
const tolerableMs = 5_000;

/**
 * Estimates the NATS server's time, which determines the age of messages. The time of a message
 * stored just now is the server's time, or slightly less.
 */
export class ServerClock {
  /** Lower bound of the server's time minus the local monotonic time. */
  private aheadMs: number | undefined;
  private hasWarned = false;

  constructor(
    private readonly clock: Clock,
    private readonly warn: (doing: string, error: unknown) => void,
  ) {}

  /** Records that the server's time is at least this now. */
  saw(serverMs: number): void {
    const aheadMs = serverMs - this.clock.now();
    if (this.aheadMs !== undefined && aheadMs <= this.aheadMs) return;
    this.aheadMs = aheadMs;
  }

  /** Reports a large difference between the clocks, once. */
  judge(): void {
    const skewMs = this.skewMs();
    if (this.hasWarned || Math.abs(skewMs) <= tolerableMs) return;
    this.hasWarned = true;
    const words = `The clock of the NATS server differs by ${String(Math.round(skewMs / 1_000))} s from the local clock.`;
    this.warn('comparing clocks', new Error(`${words} The server's time is used; synchronize both clocks.`));
  }

  /** Forgets the time of the previous server. */
  reset(): void {
    this.aheadMs = undefined;
  }

  nowMs(): number {
    const skewMs = this.skewMs();
    return this.clock.wallMs() + (Math.abs(skewMs) > tolerableMs ? skewMs : 0);
  }

  private skewMs(): number {
    return this.aheadMs === undefined ? 0 : this.aheadMs + this.clock.now() - this.clock.wallMs();
  }
}

/**
 * Reads the server's time from a probe. Newer servers report it; for others, a message newer than
 * the previous probe was stored just now.
 *
 * @param before - last sequence of the previous probe
 */
export function saidTime(
  clock: ServerClock,
  { ts, state }: StreamInfo & { readonly ts?: string },
  before: number | undefined,
): number {
  const said = ts ?? (before !== undefined && state.last_seq > before ? String(state.last_ts) : '');
  const saidMs = Date.parse(said);
  if (!Number.isNaN(saidMs)) {
    clock.saw(saidMs);
    clock.judge();
  }
  return state.last_seq;
}

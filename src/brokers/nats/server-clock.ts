import type { StreamInfo } from '@nats-io/jetstream';
import type { Clock } from '../../core/ports/clock.js';

/** Milliseconds that clocks may differ without a word, and without a difference. */
const tolerableMs = 5_000;

/**
 * The NATS server's time, by which messages are as old as they are. A message that was just stored says what time it is
 * there, or a little less.
 */
export class ServerClock {
  /** Server's time less the monotonic time here, at least. */
  private aheadMs: number | undefined;
  private hasWarned = false;

  constructor(
    private readonly clock: Clock,
    private readonly warn: (doing: string, error: unknown) => void,
  ) {}

  /** It was at least this time at the server, just now. */
  saw(serverMs: number): void {
    const aheadMs = serverMs - this.clock.now();
    if (this.aheadMs !== undefined && aheadMs <= this.aheadMs) return;
    this.aheadMs = aheadMs;
  }

  /** Says what was seen to be wrong with the clocks, once. */
  judge(): void {
    const skewMs = this.skewMs();
    if (this.hasWarned || Math.abs(skewMs) <= tolerableMs) return;
    this.hasWarned = true;
    const words = `The clock of the NATS server differs by ${String(Math.round(skewMs / 1_000))} s from the one here.`;
    this.warn('comparing clocks', new Error(`${words} The server's is used; set both right.`));
  }

  /** Forgets what another server's clock said. */
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
 * What a probe says of the server's time. Newer servers say it; of others, a message that is new since the probe before
 * was stored just now.
 *
 * @param before last sequence of the probe before
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

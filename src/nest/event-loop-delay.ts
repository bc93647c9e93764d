import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was, in milliseconds; 0 where nothing was measured yet. */
export interface EventLoopDelayReading {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

const resolutionMs = 20;
const none: EventLoopDelayReading = { mean: 0, p99: 0, max: 0 };

/**
 * Measures how late the event loop runs its timers. A reading covers at least the last `windowMs`, at most twice that,
 * and always ends now: two histograms are emptied in turn, and the older one is read. Never holds the process open.
 */
export class EventLoopDelay {
  private older: IntervalHistogram | undefined;
  private younger: IntervalHistogram | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param windowMs milliseconds. @default 15000, so that a scraper that comes every 15 s misses nothing */
  constructor(private readonly windowMs = 15_000) {}

  /** Begins to measure. Does nothing when it has begun already. */
  start(): void {
    if (this.timer !== undefined) return;
    this.older = monitorEventLoopDelay({ resolution: resolutionMs });
    this.younger = monitorEventLoopDelay({ resolution: resolutionMs });
    this.older.enable();
    this.younger.enable();
    this.timer = setInterval(() => this.turn(), this.windowMs).unref();
  }

  read(): EventLoopDelayReading {
    const { older } = this;
    if (older === undefined || older.count === 0) return none;
    return { mean: delayMs(older.mean), p99: delayMs(older.percentile(99)), max: delayMs(older.max) };
  }

  /** Ends measuring; `start` begins anew. */
  stop(): void {
    clearInterval(this.timer);
    this.older?.disable();
    this.younger?.disable();
    this.timer = this.older = this.younger = undefined;
  }

  private turn(): void {
    [this.older, this.younger] = [this.younger, this.older];
    this.younger?.reset();
  }
}

/** The one that health and metrics read: a process has one event loop. Whoever reads it starts it. */
export const eventLoopDelay = new EventLoopDelay();

/** Node measures the time from timer to timer, so an idle loop shows the resolution itself. */
function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - resolutionMs);
}

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was, in milliseconds; 0 where nothing was measured yet. */
export interface EventLoopDelayReading {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** Each measurement wakes the process up, which costs an idle one some 70 µs. A standstill may read shorter by up to this. */
const resolutionMs = 100;
const none: EventLoopDelayReading = { mean: 0, p99: 0, max: 0 };

/**
 * Measures how late the event loop runs its timers. A reading covers the window that is open and the one before it, so at
 * least the last `windowMs`, at most twice that; of the two it tells what is worse. Never holds the process open.
 */
export class EventLoopDelay {
  private histogram: IntervalHistogram | undefined;
  private before = none;
  private timer: NodeJS.Timeout | undefined;

  /** @param windowMs milliseconds. @default 15000, so that a scraper that comes every 15 s misses nothing */
  constructor(private readonly windowMs = 15_000) {}

  /** Begins to measure. Does nothing when it has begun already. */
  start(): void {
    if (this.timer !== undefined) return;
    this.histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    this.histogram.enable();
    // After all timers: the histogram's own may have a standstill to tell of that has just ended, and forgets it when reset.
    const turnSoon = (): void => void setImmediate(() => this.turn());
    this.timer = setInterval(turnSoon, this.windowMs).unref();
  }

  read(): EventLoopDelayReading {
    const { before, now } = this;
    return {
      mean: Math.max(before.mean, now.mean),
      p99: Math.max(before.p99, now.p99),
      max: Math.max(before.max, now.max),
    };
  }

  /** Ends measuring; `start` begins anew. */
  stop(): void {
    clearInterval(this.timer);
    this.histogram?.disable();
    this.timer = this.histogram = undefined;
    this.before = none;
  }

  private get now(): EventLoopDelayReading {
    const { histogram } = this;
    if (histogram === undefined || histogram.count === 0) return none;
    return {
      mean: delayMs(histogram.mean),
      p99: delayMs(histogram.percentile(99)),
      max: delayMs(histogram.max),
    };
  }

  private turn(): void {
    this.before = this.now;
    this.histogram?.reset();
  }
}

/** The one that health and metrics read: a process has one event loop. Whoever reads it starts it. */
export const eventLoopDelay = new EventLoopDelay();

/** Node measures the time from timer to timer, so an idle loop shows the resolution itself. */
function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - resolutionMs);
}

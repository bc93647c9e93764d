import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Delay of the event loop, in milliseconds; 0 before anything was measured. */
export interface EventLoopDelayReading {
  /** Mean delay. */
  readonly mean: number;
  /** 99th percentile of the delays. */
  readonly p99: number;
  /** Longest delay. */
  readonly max: number;
}

/**
 * Each measurement wakes the process, which costs an idle one about 70 µs. A block may read shorter
 * by up to this.
 */
const resolutionMs = 100;
const none: EventLoopDelayReading = { mean: 0, p99: 0, max: 0 };

/**
 * Measures how late the event loop runs its timers. A reading covers the current window and the one
 * before, that is `windowMs` to twice that, and returns the worse of the two. Never keeps the
 * process alive.
 */
export class EventLoopDelay {
  private histogram: IntervalHistogram | undefined;
  private before = none;
  private timer: NodeJS.Timeout | undefined;

  /** @param windowMs - 15000 by default, so that a scraper every 15 s misses nothing */
  constructor(private readonly windowMs = 15_000) {}

  /** Starts measuring. Does nothing if already started. */
  start(): void {
    if (this.timer !== undefined) return;
    this.histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    this.histogram.enable();
    // Runs after all timers: the histogram's own timer may still have to record a block that just
    // ended, and a reset would lose it.
    const turnSoon = (): void => void setImmediate(() => this.turn());
    this.timer = setInterval(turnSoon, this.windowMs).unref();
  }

  /** The worse of the current window and the one before, in milliseconds. */
  read(): EventLoopDelayReading {
    const { before, now } = this;
    return {
      mean: Math.max(before.mean, now.mean),
      p99: Math.max(before.p99, now.p99),
      max: Math.max(before.max, now.max),
    };
  }

  /** Stops measuring; `start` starts over. */
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

/** Shared by health and metrics, because a process has one event loop. Its readers start it. */
export const eventLoopDelay = new EventLoopDelay();

/** Node measures from timer to timer, so an idle loop shows the resolution itself. */
function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - resolutionMs);
}

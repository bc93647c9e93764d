import type { Cancel, Clock } from '../core/ports/clock.js';

/** Longest delay that a Node timer keeps; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The real time. Its timers never hold the process open. */
export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  after(ms: number, run: () => void): Cancel {
    let timer: NodeJS.Timeout;
    const plan = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, longestTimerMs);
      timer = setTimeout(() => (leftMs > stepMs ? plan(leftMs - stepMs) : run()), stepMs);
      timer.unref();
    };
    plan(Math.max(0, ms));
    return () => clearTimeout(timer);
  }

  soon(run: () => void): void {
    setImmediate(run);
  }

  random(): number {
    return Math.random();
  }
}

import type { Cancel, Clock } from '../core/ports/clock.js';

/** Real time, for brokers created by an application. Its timers never keep the process alive. */
export class BrokerClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  /** Not for more than 24 days, Node's longest timer: no broker waits so long. */
  after(ms: number, run: () => void): Cancel {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  }

  soon(run: () => void): void {
    setImmediate(run);
  }

  random(): number {
    return Math.random();
  }
}

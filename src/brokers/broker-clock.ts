import type { Cancel, Clock } from '../core/ports/clock.js';

/** The real time, for brokers that an application makes by itself. Its timers never hold the process open. */
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

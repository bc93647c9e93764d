import type { Cancel, Clock } from '../core/ports/clock.js';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until the test moves it. */
export class TestClock implements Clock {
  private nowMs = 0;
  private order = 0;
  private timers: Timer[] = [];
  private due: (() => void)[] = [];

  /**
   * @param startMs - initial value of `wallMs()`, in milliseconds since 1970
   * @param random - result of `random()`; 0.5 by default
   */
  constructor(
    private readonly startMs = 1_700_000_000_000,
    readonly random: () => number = () => 0.5,
  ) {}

  /** Timers that have not run yet; 0 if none is left behind. */
  get timerCount(): number {
    return this.timers.length;
  }

  now(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.startMs + this.nowMs;
  }

  after(ms: number, run: () => void): Cancel {
    const timer: Timer = { atMs: this.nowMs + Math.max(0, ms), order: this.order++, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  soon(run: () => void): void {
    this.due.push(run);
  }

  /** Runs all callbacks due soon, including those they add. */
  flush(): void {
    for (let run = this.due.shift(); run !== undefined; run = this.due.shift()) run();
  }

  /** Moves on by `ms`. Timers run at their time, in order, each followed by `flush`. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let next = this.nextBy(endMs); next !== undefined; next = this.nextBy(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
      this.flush();
    }
    this.nowMs = endMs;
  }

  /** Moves on by `ms` in one step, like a blocked process: timers run late, at the end. */
  stall(ms: number): void {
    this.nowMs += ms;
    this.advance(0);
  }

  /** Lets pending promises continue, several rounds, and runs callbacks due soon. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      this.flush();
    }
  }

  private nextBy(endMs: number): Timer | undefined {
    const [next] = this.timers
      .filter(({ atMs }) => atMs <= endMs)
      .toSorted((one, other) => one.atMs - other.atMs || one.order - other.order);
    if (next !== undefined) this.timers = this.timers.filter((timer) => timer !== next);
    return next;
  }
}

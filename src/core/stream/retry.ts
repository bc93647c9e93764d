import type { Cancel, Clock } from '../ports/clock.js';

const firstMs = 100;
const maxMs = 5_000;

/** Runs something again, later each time: after 100 ms, doubled up to 5 s, each shortened by chance to half of it at least. */
export class Retry {
  private attempt = 0;
  private cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly run: () => void,
  ) {}

  /** Whether it is going to run. */
  get isPlanned(): boolean {
    return this.cancel !== undefined;
  }

  /** Has it run, if that is not planned already. */
  plan(): void {
    if (this.cancel !== undefined) return;
    const ms = Math.min(maxMs, firstMs * 2 ** this.attempt);
    this.attempt += 1;
    this.cancel = this.clock.after(ms * (0.5 + this.clock.random() / 2), () => {
      this.cancel = undefined;
      this.run();
    });
  }

  /** Forgets what failed; begins with the shortest wait next time. */
  reset(): void {
    this.stop();
    this.attempt = 0;
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}

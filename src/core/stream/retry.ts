import type { Cancel, Clock } from '../ports/clock.js';

const firstMs = 100;
const maxMs = 5_000;

/**
 * Repeats a call with back-off: after 100 ms, doubling up to 5 s, each delay reduced randomly by up
 * to half.
 */
export class Retry {
  private attempt = 0;
  private cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly run: () => void,
  ) {}

  /** Schedules a run unless one is scheduled already. */
  plan(): void {
    if (this.cancel !== undefined) return;
    const ms = Math.min(maxMs, firstMs * 2 ** this.attempt);
    this.attempt += 1;
    this.cancel = this.clock.after(ms * (0.5 + this.clock.random() / 2), () => {
      this.cancel = undefined;
      this.run();
    });
  }

  /** Resets the back-off to its shortest delay. */
  reset(): void {
    this.stop();
    this.attempt = 0;
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}

import type { Clock } from '../core/ports/clock.js';

/** Minimum milliseconds between reports. */
const againMs = 1_000;

/**
 * Reports to a broker's `onError`, at most once a second, that its engine refuses publications,
 * since when and why.
 */
export class RefusalReport {
  private since: string | undefined;
  private reportedMs = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly onError: (doing: string, error: unknown) => void,
  ) {}

  accepted(): void {
    this.since = undefined;
  }

  refused(error: unknown): void {
    this.since ??= new Date(this.clock.wallMs()).toISOString();
    const nowMs = this.clock.now();
    if (nowMs - this.reportedMs < againMs) return;
    this.reportedMs = nowMs;
    this.onError(`publishing (refused since ${this.since})`, error);
  }
}

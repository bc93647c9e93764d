import type { Clock } from '../core/ports/clock.js';

/** Milliseconds between two reports of refusals that go on. */
const againMs = 1_000;

/** Tells a broker's `onError` that its engine refuses publications, since when, and why: at most once a second. */
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
    this.onError(`publishing, which is refused since ${this.since}`, error);
  }
}

import type { Cancel, Clock } from '../ports/clock.js';
import type { Observer, PublishRefusals } from '../ports/observer.js';
import { PublishRefusal } from '../ports/publish-refusal.js';

/** Milliseconds of refusals after which an instance should get no new clients. */
const lastingMs = 5_000;
/** Interval of probes, in milliseconds, while no publication is attempted. */
const retryMs = 1_000;

/**
 * Tracks whether the engine accepts publications, by their outcomes. After a refusal it probes once
 * a second while no publication is attempted, because an instance that is not ready may have no
 * publishers left.
 */
export class PublishHealth {
  private sinceMs = 0;
  private triedMs = 0;
  private current: Omit<PublishRefusals, 'lasting'> | undefined;
  private cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly observer: Pick<Observer, 'publishing'>,
    /** Publishes a probe without readers. */
    private readonly attempt: () => Promise<unknown>,
  ) {}

  /** Since when and why publications are refused. `undefined` if the last one was accepted. */
  get refusals(): PublishRefusals | undefined {
    return this.current && { ...this.current, lasting: this.clock.now() - this.sinceMs >= lastingMs };
  }

  /** Milliseconds since the first refusal. 0 if the last publication was accepted. */
  get refusedMs(): number {
    return this.current === undefined ? 0 : Math.max(1, this.clock.now() - this.sinceMs);
  }

  accepted(): void {
    if (this.current === undefined) return;
    this.stop();
    this.observer.publishing(undefined);
  }

  /** Other errors do not show whether the engine accepts publications. */
  failed(error: unknown): void {
    if (!(error instanceof PublishRefusal) || error.kind !== 'refused') return;
    this.triedMs = this.clock.now();
    const reason = error.message;
    if (this.current !== undefined) {
      this.current = { ...this.current, reason };
      return;
    }
    this.sinceMs = this.triedMs;
    this.current = { sinceMs: this.clock.wallMs(), reason };
    this.observer.publishing({ ...this.current, lasting: false });
    this.plan(retryMs);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = this.current = undefined;
  }

  private plan(ms: number): void {
    this.cancel = this.clock.after(ms, () => {
      const waitMs = this.triedMs + retryMs - this.clock.now();
      if (waitMs > 0) this.plan(waitMs);
      else void this.tryAgain();
    });
  }

  private async tryAgain(): Promise<void> {
    this.triedMs = this.clock.now();
    try {
      await this.attempt();
      this.accepted();
    } catch (error) {
      if (this.current === undefined) return;
      this.failed(error);
      this.plan(retryMs);
    }
  }
}

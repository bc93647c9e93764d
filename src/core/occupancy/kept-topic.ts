import type { Cancel, Clock } from '../ports/clock.js';
import { inTime } from '../ports/deadline.js';
import type { LiveLimits } from '../ports/limits.js';
import type { Observer } from '../ports/observer.js';
import type { OccupancyRules } from '../ports/policy.js';
import type { Poll } from './poll.js';

export interface KeptTopicParts {
  readonly clock: Clock;
  readonly observer: Observer;
  /** A hook that takes longer than a check may is reported, and the next one is called. */
  readonly limits: Pick<LiveLimits, 'authorizationTimeoutMs'>;
}

/** A topic whose hooks run on this instance, from its first subscriber to the last. */
export class KeptTopic {
  private cancelGrace: Cancel | undefined;
  private hooks: Promise<void> = Promise.resolve();

  constructor(
    private readonly topic: string,
    private readonly rules: OccupancyRules,
    private readonly parts: KeptTopicParts,
    private readonly poll: Poll | undefined,
    /** The grace is over. */
    private readonly over: () => void,
  ) {
    this.run('occupied');
  }

  /** The topic has subscribers. */
  read(): void {
    this.cancelGrace?.();
    this.cancelGrace = undefined;
    this.poll?.start();
  }

  /** The topic has no subscribers. */
  unread(): void {
    this.poll?.stop();
    this.cancelGrace ??= this.parts.clock.after(this.rules.graceMs, this.over);
  }

  /** Resolves when the last hook has run. Never rejects. */
  end(): Promise<void> {
    this.poll?.stop();
    this.cancelGrace?.();
    this.run('vacated');
    return this.hooks;
  }

  /** One after the other, so that a provider never hears "vacated" while it still prepares. */
  private run(hook: 'occupied' | 'vacated'): void {
    this.hooks = this.hooks.then(() => this.call(hook));
  }

  private async call(hook: 'occupied' | 'vacated'): Promise<void> {
    const { clock, limits, observer } = this.parts;
    const ms = limits.authorizationTimeoutMs;
    const late = (): Error => new Error(`The hook for "${this.topic}" took more than ${String(ms)} ms`);
    try {
      await inTime(clock, ms, this.rules[hook]?.(), late);
    } catch (error) {
      observer.failed(`telling a provider that its topic is ${hook}`, error);
    }
  }
}

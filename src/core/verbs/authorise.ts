import type { Connection } from '../connection/connection.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Policy, TopicRules } from '../ports/policy.js';
import { LiveError } from '../../protocol/live.error.js';
import type { PendingSubscribe } from './pending-subscribe.js';

/** The one answer to what is not allowed and to what is not there. [L-3.3] [L-4.4] */
export function forbidden(): LiveError {
  return new LiveError('forbidden', 'You may not do this with this topic');
}

/** Asks the application; anything but a timely `true` denies. [L-3.4] */
export class Authoriser {
  constructor(
    private readonly policy: Policy,
    private readonly clock: Clock,
    private readonly observer: Observer,
    private readonly timeoutMs: number,
  ) {}

  /** The topic's rules, if this connection may. Throws `forbidden`, or that `pending` was cancelled. */
  async rulesFor(
    right: 'canSubscribe' | 'canPublish',
    topic: string,
    connection: Connection,
    pending: PendingSubscribe,
  ): Promise<TopicRules> {
    const rules = this.policy.rulesFor(topic);
    if (rules === undefined) throw forbidden();
    const allowed = await this.ask(right, rules, connection, pending);
    pending.check();
    if (allowed !== true) throw forbidden();
    return rules;
  }

  private async ask(
    right: 'canSubscribe' | 'canPublish',
    rules: TopicRules,
    connection: Connection,
    pending: PendingSubscribe,
  ): Promise<unknown> {
    try {
      const answer = rules[right](connection.user);
      if (typeof answer === 'boolean') return answer;
      return await pending.until(answer, {
        clock: this.clock,
        ms: this.timeoutMs,
        error: () => new Error(`${right} did not answer within ${String(this.timeoutMs)} ms`),
      });
    } catch (error) {
      pending.check();
      this.observer.failed(`asking ${right}`, error, connection);
      return false;
    }
  }
}

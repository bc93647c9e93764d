import { LiveError } from '../../protocol/live.error.js';
import type { Connection } from '../connection/connection.js';
import type { LiveUser } from '../connection/live-user.js';
import { checkOpenQuestions, counted } from '../connection/questions.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Policy, TopicRules } from '../ports/policy.js';
import { PendingSubscribe } from './pending-subscribe.js';

export type Right = 'canSubscribe' | 'canPublish';

/** `failed`: the check threw or was late. `unavailable`: it says itself that it cannot tell now, by that `LiveError`. */
export type Verdict = 'yes' | 'no' | 'failed' | 'unavailable';

/** The one answer to what is not allowed and to what is not there. [L-3.3] [L-4.4] */
function forbidden(): LiveError {
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
    right: Right,
    topic: string,
    connection: Connection,
    pending = new PendingSubscribe(),
  ): Promise<TopicRules> {
    checkOpenQuestions(connection, this.observer);
    const declared = this.policy.rulesFor(topic);
    if (declared === undefined) throw forbidden();
    const rules = chargedTo(connection, declared, right);
    if ((await this.ask(right, rules, connection, pending)) !== 'yes') throw forbidden();
    return rules;
  }

  /** Whether this connection may. Never rejects. */
  async verdict(right: Right, topic: string, connection: Connection): Promise<Verdict> {
    const rules = this.policy.rulesFor(topic);
    return rules === undefined ? 'no' : this.ask(right, rules, connection, new PendingSubscribe());
  }

  private async ask(
    right: Right,
    rules: TopicRules,
    connection: Connection,
    pending: PendingSubscribe,
  ): Promise<Verdict> {
    try {
      const answer: unknown = rules[right](connection.user);
      if (typeof answer === 'boolean') return answer ? 'yes' : 'no';
      const settled = await pending.until(Promise.resolve(answer), {
        clock: this.clock,
        ms: this.timeoutMs,
        error: () => new Error(`${right} did not answer within ${String(this.timeoutMs)} ms`),
      });
      return settled === true ? 'yes' : 'no';
    } catch (error) {
      pending.check();
      this.observer.failed(`asking ${right}`, error, connection);
      return error instanceof LiveError && error.code === 'unavailable' ? 'unavailable' : 'failed';
    }
  }
}

/** What the peer has the application asked counts until it is settled: about this right, and for a snapshot. [L-9.15] */
function chargedTo(connection: Connection, rules: TopicRules, right: Right): TopicRules {
  const { snapshot } = rules;
  return {
    ...rules,
    [right]: (user: LiveUser | null) => counted(connection, rules[right](user)),
    ...(snapshot !== undefined && { snapshot: () => counted(connection, snapshot()) }),
  };
}

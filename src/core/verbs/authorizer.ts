import { isTemporary } from '../../protocol/codes.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Connection } from '../connection/connection.js';
import type { LiveUser } from '../ports/identity.js';
import { LateAnswers } from '../connection/late-answers.js';
import { checkOpenQuestions, counted } from '../inbound/rate-limit.js';
import type { Clock } from '../ports/clock.js';
import type { Observer, RightOutcome } from '../ports/observer.js';
import type { Policy, TopicRules } from '../ports/policy.js';
import { PendingSubscribe } from '../connection/pending-subscribe.js';
import { retrySoonMs } from './retry-soon.js';

export type Right = 'canSubscribe' | 'canPublish';

/** How a right was checked, and where it could not be: when to ask again. */
interface Verdict {
  readonly outcome: RightOutcome;
  readonly retryAfterMs?: number | undefined;
}

class TooLate extends Error {}

/** A question is this many time-outs old at most when its late answer still counts. */
const latestTimeouts = 4;

/** The one answer to what is not allowed and to what is not there. [L-3.3] [L-4.4] */
function forbidden(): LiveError {
  return new LiveError('forbidden', 'You may not do this with this topic');
}

/** Asks the application. Only `true` in time allows; only an answer, or an error that means no, forbids. [L-3.4] */
export class Authorizer {
  constructor(
    private readonly policy: Policy,
    private readonly clock: Clock,
    private readonly observer: Observer,
    private readonly timeoutMs: number,
  ) {}

  /**
   * The topic's rules, if this connection may. Throws `forbidden`; `unavailable` where the application could not tell; or
   * that `pending` was cancelled.
   */
  async rulesFor(
    right: Right,
    topic: string,
    connection: Connection,
    pending = new PendingSubscribe(),
  ): Promise<TopicRules> {
    const late = connection.lateAnswers?.find(
      topic,
      right,
      this.clock.now() - latestTimeouts * this.timeoutMs,
    );
    if (late === undefined) checkOpenQuestions(connection, this.observer);
    const declared = this.policy.rulesFor(topic);
    if (declared === undefined) throw forbidden();
    const { user } = connection;
    const rules = chargedTo(connection, declared, right, late);
    const { outcome, retryAfterMs } = await this.ask(right, rules, connection, pending, topic);
    // The answer was about the credential before. [L-7.3]
    if (connection.user !== user) return this.rulesFor(right, topic, connection, pending);
    if (outcome === 'allowed') return rules;
    if (outcome === 'denied') throw forbidden();
    throw new LiveError('unavailable', 'Whether you may do this cannot be checked now', {
      retryAfterMs: retryAfterMs ?? retrySoonMs(this.clock),
    });
  }

  /** Whether this connection may. Never rejects. */
  async outcome(right: Right, topic: string, connection: Connection): Promise<RightOutcome> {
    const rules = this.policy.rulesFor(topic);
    if (rules === undefined) return 'denied';
    return (await this.ask(right, rules, connection, new PendingSubscribe())).outcome;
  }

  private async ask(
    right: Right,
    rules: TopicRules,
    connection: Connection,
    pending: PendingSubscribe,
    keepFor?: string,
  ): Promise<Verdict> {
    try {
      const answer: unknown = rules[right](connection.user);
      const settled =
        typeof answer === 'boolean'
          ? answer
          : await this.settled(right, Promise.resolve(answer), connection, pending, keepFor);
      return this.judged(right, { outcome: settled === true ? 'allowed' : 'denied' });
    } catch (error) {
      pending.check();
      const verdict = this.verdictOf(error);
      if (verdict.outcome !== 'denied') this.observer.failed(`asking ${right}`, error, connection);
      return this.judged(right, verdict);
    }
  }

  /** The answer, in time. Where it is for a topic, it is kept when it is late. [L-3.4] */
  private async settled(
    right: Right,
    answer: Promise<unknown>,
    connection: Connection,
    pending: PendingSubscribe,
    topic: string | undefined,
  ): Promise<unknown> {
    if (topic === undefined) return this.inTime(right, answer, pending);
    (connection.lateAnswers ??= new LateAnswers()).note(topic, right, answer, this.clock.now());
    try {
      const settled = await this.inTime(right, answer, pending);
      connection.lateAnswers?.drop(topic, right, answer);
      return settled;
    } catch (error) {
      if (error instanceof TooLate) connection.lateAnswers?.giveUp(topic, right, answer);
      throw error;
    }
  }

  private inTime(right: Right, answer: Promise<unknown>, pending: PendingSubscribe): Promise<unknown> {
    return pending.until(answer, {
      clock: this.clock,
      ms: this.timeoutMs,
      error: () => new TooLate(`${right} did not answer within ${String(this.timeoutMs)} ms`),
    });
  }

  /** What a check that threw has said. */
  private verdictOf(error: unknown): Verdict {
    if (error instanceof TooLate) return { outcome: 'late' };
    if (error instanceof LiveError) {
      if (!isTemporary(error.code)) return { outcome: 'denied' };
      const { retryAfterMs } = error.details;
      return { outcome: error.code === 'unavailable' ? 'unavailable' : 'failed', retryAfterMs };
    }
    return { outcome: this.policy.isRefusal?.(error) === true ? 'denied' : 'failed' };
  }

  private judged(right: Right, verdict: Verdict): Verdict {
    this.observer.authorized(right, verdict.outcome);
    return verdict;
  }
}

/** What the peer has the application asked counts until it is settled: about this right, and for a snapshot. [L-9.15] */
function chargedTo(
  connection: Connection,
  rules: TopicRules,
  right: Right,
  late: Promise<unknown> | undefined,
): TopicRules {
  const { snapshot } = rules;
  return {
    ...rules,
    // Counted already where it was asked.
    [right]: (user: LiveUser | null) => late ?? counted(connection, rules[right](user)),
    ...(snapshot !== undefined && { snapshot: () => counted(connection, snapshot()) }),
  };
}

import { isTemporary } from '../../protocol/codes.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Connection } from '../connection/connection.js';
import type { LiveUser } from '../ports/identity.js';
import { LateAnswers } from '../connection/late-answers.js';
import { checkOpenQuestions, counted } from '../connection/open-questions.js';
import type { Clock } from '../ports/clock.js';
import type { Observer, RightOutcome } from '../ports/observer.js';
import type { Policy, TopicRules } from '../ports/policy.js';
import { PendingSubscribe } from '../connection/pending-subscribe.js';
import { retrySoonMs } from './retry-soon.js';

export type Right = 'canSubscribe' | 'canPublish';

/** Result of a check, with a retry time if it could not be made. */
interface Verdict {
  readonly outcome: RightOutcome;
  readonly retryAfterMs?: number | undefined;
}

/** A check of the application. Its answer may be a promise. */
type Question = (user: LiveUser | null) => unknown;

class TooLate extends Error {}

/** Number of timeouts after which a late answer no longer counts. */
const latestTimeouts = 4;

/** Same error for forbidden and for undeclared topics. [L-3.3] [L-4.4] */
function forbidden(): LiveError {
  return new LiveError('forbidden', 'You may not do this with this topic');
}

/**
 * Calls the application's checks. Only `true` in time allows. Only another answer, or an error that
 * means no, forbids. [L-3.4]
 */
export class Authorizer {
  constructor(
    private readonly policy: Policy,
    private readonly clock: Clock,
    private readonly observer: Observer,
    private readonly timeoutMs: number,
  ) {}

  /**
   * Returns the topic's rules if this connection is allowed. Throws `forbidden`, `unavailable` if
   * the application could not answer, or a cancellation of `pending`.
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
    // A late answer was already counted by the first request.
    const question: Question = (asker) => late ?? counted(connection, declared[right](asker));
    const { outcome, retryAfterMs } = await this.ask(right, question, connection, pending, topic);
    // The answer was about the previous credential. [L-7.3]
    if (connection.user !== user) return this.rulesFor(right, topic, connection, pending);
    if (outcome === 'allowed') return right === 'canSubscribe' ? chargedTo(connection, declared) : declared;
    if (outcome === 'denied') throw forbidden();
    throw new LiveError('unavailable', 'Whether you may do this cannot be checked now', {
      retryAfterMs: retryAfterMs ?? retrySoonMs(this.clock),
    });
  }

  /** Checks this connection again. Never rejects. */
  async outcome(right: Right, topic: string, connection: Connection): Promise<RightOutcome> {
    const rules = this.policy.rulesFor(topic);
    if (rules === undefined) return 'denied';
    const question: Question = (asker) => rules[right](asker);
    return (await this.ask(right, question, connection, new PendingSubscribe())).outcome;
  }

  private async ask(
    right: Right,
    question: Question,
    connection: Connection,
    pending: PendingSubscribe,
    keepFor?: string,
  ): Promise<Verdict> {
    try {
      const answer = question(connection.user);
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

  /** Waits for the answer until the timeout. For a topic, a late answer is kept. [L-3.4] */
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

  /** Interprets the error of a check. */
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

/** Counts a call of the snapshot until it settles, like the check before it. [L-9.15] */
function chargedTo(connection: Connection, rules: TopicRules): TopicRules {
  const { snapshot } = rules;
  return snapshot === undefined ? rules : { ...rules, snapshot: () => counted(connection, snapshot()) };
}

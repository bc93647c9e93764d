import type { Connection } from '../connection/connection.js';
import type { ErrorCode } from '../../protocol/codes.js';
import type { Clock } from '../ports/clock.js';
import type { Authorizer } from './authorizer.js';
import { retrySoonMs } from './retry-soon.js';
import { endSubscription } from './unsubscribe.js';

/** What becomes of a subscription whose check says by itself that it cannot tell now. */
export type Undecided = 'end' | 'keep';

/** Subscriptions that change while they are asked about are asked about again, but not for ever. */
const maxRepeats = 5;

/** Asks again for rights that were given before, and ends the subscriptions that have lost them. [L-3.12] */
export class AuthorizationReview {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly clock: Clock,
  ) {}

  /**
   * Asks for these topics of the connection, by default also for those that it is about to be subscribed to; returns how many
   * subscriptions have ended. Never rejects.
   */
  async review(
    connection: Connection,
    undecided: Undecided,
    topics: readonly string[] = connection.memberTopics,
  ): Promise<number> {
    const ended = await Promise.all(topics.map((topic) => this.reviewTopic(connection, topic, undecided)));
    return ended.filter(Boolean).length;
  }

  /** Whether the subscription has ended. One that is pending is meant, too: its answer may be older than the question. */
  async reviewTopic(connection: Connection, topic: string, undecided: Undecided): Promise<boolean> {
    // What was asked before is older than the change that this review is about.
    if (undecided === 'end') connection.lateAnswers?.forget(topic);
    for (let question = 1; ; question++) {
      const membership = connection.membership(topic);
      const { user } = connection;
      if (membership === undefined) return false;
      const outcome = await this.authorizer.outcome('canSubscribe', topic, connection);
      if (outcome === 'allowed' || (outcome === 'unavailable' && undecided === 'keep')) return false;
      const changed = !connection.isMember(topic, membership) || connection.user !== user;
      if (changed && question < maxRepeats) continue;
      return endSubscription(connection, topic, ...(outcome === 'denied' ? ended : this.unchecked()));
    }
  }

  private unchecked(): Ending {
    return ['unavailable', 'the right to read it could not be checked', retrySoonMs(this.clock)];
  }
}

type Ending = readonly [code: ErrorCode, reason: string, retryAfterMs?: number];

const ended: Ending = ['forbidden', 'the right to read it has ended'];

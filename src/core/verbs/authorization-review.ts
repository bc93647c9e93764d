import type { Connection } from '../connection/connection.js';
import type { ErrorCode } from '../../protocol/codes.js';
import type { Clock } from '../ports/clock.js';
import type { Authorizer } from './authorizer.js';
import { retrySoonMs } from './retry-soon.js';
import { endSubscription } from './unsubscribe.js';

/** What happens to a subscription whose check reports that it cannot answer now. */
export type Undecided = 'end' | 'keep';

/** Subscriptions that change during a check are checked again, but only this often. */
const maxRepeats = 5;

/** Repeats authorizations given before, and ends the subscriptions that lost them. [L-3.12] */
export class AuthorizationReview {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly clock: Clock,
  ) {}

  /**
   * Checks these topics of the connection, by default including pending subscribes. Returns the
   * number of subscriptions ended. Never rejects.
   */
  async review(
    connection: Connection,
    undecided: Undecided,
    topics: readonly string[] = connection.memberTopics,
  ): Promise<number> {
    const ended = await Promise.all(topics.map((topic) => this.reviewTopic(connection, topic, undecided)));
    return ended.filter(Boolean).length;
  }

  /**
   * Returns whether the subscription ended. Includes a pending one, whose own check may predate the
   * change.
   */
  async reviewTopic(connection: Connection, topic: string, undecided: Undecided): Promise<boolean> {
    // Answers to earlier checks predate the change that caused this review.
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

import type { AuthenticatedMessage } from '../../protocol/messages.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { isTemporary } from '../../protocol/codes.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Connection } from '../connection/connection.js';
import { checkOpenQuestions, counted, maxOpenWithCredential } from '../connection/open-questions.js';
import type { ConnectionIdentity } from '../ports/identity.js';
import type { VerifyCredential } from '../ports/settings.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { tokenOf } from '../inbound/fields.js';
import { PendingSubscribe } from '../connection/pending-subscribe.js';
import type { AuthorizationReview } from './authorization-review.js';

const retryAfterMs = 1_000;

/** What the auth verb needs from the core. */
export interface AuthParts {
  readonly rights: AuthorizationReview;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Absent if credentials cannot be renewed. [L-7.5] */
  readonly verify: VerifyCredential | undefined;
  /** Time limit of a check in milliseconds. Other messages of the connection wait for it. */
  readonly timeoutMs: number;
}

/** The auth verb: a new credential on an open connection. [L-7.1] */
export class Auth {
  constructor(private readonly parts: AuthParts) {}

  /** Rejects with a `LiveError`. The previous credential then stays valid. */
  async run(connection: Connection, message: InboundMessage): Promise<AuthenticatedMessage> {
    const { verify } = this.parts;
    if (verify === undefined) throw new LiveError('not-implemented', 'Nothing handles this type');
    const identity = await this.identify(connection, tokenOf(message), verify);
    if (identity.user === null || identity.user.id !== connection.user?.id) {
      throw new LiveError('forbidden', 'This credential is not valid here');
    }
    connection.renew(identity);
    await this.parts.rights.review(connection, 'end');
    const { expiresAt } = identity;
    if (expiresAt === undefined) return { type: 'authenticated' };
    return {
      type: 'authenticated',
      expiresAt,
      expiresInMs: Math.max(0, expiresAt - this.parts.clock.wallMs()),
    };
  }

  private async identify(
    connection: Connection,
    token: string,
    verify: VerifyCredential,
  ): Promise<ConnectionIdentity> {
    checkOpenQuestions(connection, this.parts.observer, maxOpenWithCredential);
    const { clock, timeoutMs: ms } = this.parts;
    const error = (): Error => new Error(`The credential was not checked within ${String(ms)} ms`);
    try {
      return await new PendingSubscribe().until(counted(connection, verify(token, connection)), {
        clock,
        ms,
        error,
      });
    } catch (error) {
      if (error instanceof LiveError) throw this.withRetry(error);
      this.parts.observer.failed('checking a credential', error, connection);
      throw new LiveError('unavailable', 'The credential cannot be checked now', { retryAfterMs });
    }
  }

  /** Adds a retry time to a temporary error without one. */
  private withRetry(error: LiveError): LiveError {
    const { code, message, details } = error;
    if (!isTemporary(code) || details.retryAfterMs !== undefined) return error;
    return new LiveError(code, message, { retryAfterMs });
  }
}

import type { AuthenticatedMessage, InboundMessage, UnsubscribedMessage } from '../../protocol/messages.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Connection } from '../connection/connection.js';
import type { ConnectionIdentity } from '../connection/live-user.js';
import type { VerifyCredential } from '../live.settings.js';
import type { Observer } from '../ports/observer.js';
import type { Authoriser } from './authorise.js';
import { tokenOf } from './fields.js';

/** The auth verb: a new credential on the open connection. [L-7.1] */
export class Auth {
  constructor(
    private readonly authoriser: Authoriser,
    private readonly observer: Observer,
    private readonly verify: VerifyCredential | undefined,
  ) {}

  /** Rejects with a `LiveError`; the credential before stays in force then. */
  async run(connection: Connection, message: InboundMessage): Promise<AuthenticatedMessage> {
    if (this.verify === undefined) throw new LiveError('not-implemented', 'Nothing handles this type');
    const identity = await this.identify(connection, tokenOf(message), this.verify);
    if (identity.user === null || identity.user.id !== connection.user?.id) {
      throw new LiveError('forbidden', 'This credential is not valid here');
    }
    connection.renew(identity);
    await this.reauthorise(connection);
    const { expiresAt } = identity;
    return { type: 'authenticated', ...(expiresAt !== undefined && { expiresAt }) };
  }

  /** Asks again for every topic that the connection has, and ends those that are not allowed any more. [L-7.3] */
  async reauthorise(connection: Connection): Promise<void> {
    await Promise.all(connection.topics.map((topic) => this.reauthoriseTopic(connection, topic)));
  }

  private async identify(
    connection: Connection,
    token: string,
    verify: VerifyCredential,
  ): Promise<ConnectionIdentity> {
    try {
      return await verify(token);
    } catch (error) {
      if (error instanceof LiveError) throw error;
      this.observer.failed('checking a credential', error, connection);
      throw new LiveError('unavailable', 'The credential cannot be checked now', { retryAfterMs: 1_000 });
    }
  }

  private async reauthoriseTopic(connection: Connection, topic: string): Promise<void> {
    const membership = connection.membership(topic);
    const allowed = await this.authoriser.allows('canSubscribe', topic, connection);
    if (allowed || membership === undefined || !connection.isMember(topic, membership)) return;
    connection.leave(topic);
    const told: UnsubscribedMessage = {
      type: 'unsubscribed',
      topic,
      code: 'forbidden',
      reason: 'the right to read it has ended',
    };
    connection.send(told);
  }
}

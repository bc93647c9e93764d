import type { Connection } from '../connection/connection.js';
import type { ErrorCode } from '../../protocol/codes.js';
import type { UnsubscribedMessage } from '../../protocol/messages.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { topicOf } from '../inbound/fields.js';

/**
 * The unsubscribe verb. No event of the topic follows its answer, even if there was no
 * subscription. [L-3.6]
 */
export function unsubscribe(connection: Connection, message: InboundMessage): UnsubscribedMessage {
  const topic = topicOf(message);
  connection.leave(topic);
  return { type: 'unsubscribed', topic };
}

/**
 * Ends a subscription on behalf of the server. Returns `false` if there was none. A pending
 * subscribe is canceled and answered accordingly. [L-3.9]
 */
export function endSubscription(
  connection: Connection,
  topic: string,
  code: ErrorCode,
  reason: string,
  retryAfterMs?: number,
): boolean {
  connection.lateAnswers?.forget(topic);
  const live = connection.membership(topic)?.live;
  if (live === undefined) return false;
  connection.leave(topic);
  const notice: UnsubscribedMessage = {
    type: 'unsubscribed',
    topic,
    code,
    reason,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  if (live) connection.send(notice);
  return true;
}

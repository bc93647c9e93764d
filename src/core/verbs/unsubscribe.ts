import type { Connection } from '../connection/connection.js';
import type { InboundMessage, UnsubscribedMessage } from '../../protocol/messages.js';
import { topicOf } from './fields.js';

/** The unsubscribe verb: no event of the topic follows its answer, also when there was no subscription. [L-3.6] */
export function unsubscribe(connection: Connection, message: InboundMessage): UnsubscribedMessage {
  const topic = topicOf(message);
  connection.leave(topic);
  return { type: 'unsubscribed', topic };
}

import type { Connection } from '../connection/connection.js';
import { counted } from '../connection/open-questions.js';
import type { DataChecks } from '../publish/data-checks.js';
import type { Publisher } from '../publish/publisher.js';
import type { PublishedMessage } from '../../protocol/messages.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import type { Authorizer } from './authorizer.js';
import { removalData } from '../ports/broker.js';
import { clientKeyOf } from '../publish/client-key.js';
import { dataTextOf, idempotencyKeyOf, keyOf, removes, topicOf } from '../inbound/fields.js';

/** The publish verb for clients. [L-4.3] [L-4.12] [L-4.15] */
export class Publish {
  constructor(
    private readonly publisher: Publisher,
    private readonly checks: DataChecks,
    private readonly authorizer: Authorizer,
  ) {}

  /** Rejects with a `LiveError`. */
  async run(connection: Connection, message: InboundMessage): Promise<PublishedMessage> {
    const topic = topicOf(message);
    const given = keyOf(message);
    const remove = removes(message);
    const ownKey = idempotencyKeyOf(message);
    const text = remove ? removalData : dataTextOf(message, connection.publishTexts?.publishText(topic));
    const { data } = message;
    const rules = await this.authorizer.rulesFor('canPublish', topic, connection);
    const { checkClientData: check } = rules;
    const key = this.checks.keyOf(topic, rules.checkClientKey, given);
    const isChecked = check !== undefined && !remove;
    const { epoch, offset } = await this.publisher.publish(
      topic,
      isChecked ? this.checks.textOf(topic, (value) => counted(connection, check(value)), data) : text,
      {
        ...(key !== undefined && { key }),
        ...(remove && { remove }),
        ...(ownKey !== undefined && { idempotencyKey: clientKeyOf(connection.user?.id, ownKey) }),
      },
      rules,
    );
    return { type: 'published', topic, epoch, offset };
  }
}

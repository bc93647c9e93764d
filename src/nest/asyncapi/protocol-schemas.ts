import { fields } from './protocol-fields.js';
import type { JsonSchema } from './json-schema.js';

const { id, topic, epoch, offset, code, words, retryAfterMs, expiresAt, expiresInMs } = fields;

/** A message: its type, its fields, and which of them it always has. */
function message(type: string, properties: JsonSchema, required: readonly string[] = []): JsonSchema {
  return {
    type: 'object',
    properties: { type: { const: type }, ...properties },
    required: ['type', ...required],
  };
}

/** What a topic says about its keys. */
export interface KeyRule {
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}
const anyKey: KeyRule = { schema: {}, isRequired: false };

/** Messages that carry data of a topic. @param data - its schema, or `{}` for any JSON value */
export const dataMessages = {
  event: (data: JsonSchema, key = anyKey): JsonSchema =>
    message(
      'event',
      { topic, offset, from: fields.from, data, key: keyField(key), removed: fields.removed },
      ['topic', 'offset', ...(key.isRequired ? ['key'] : [])],
    ),
  subscribed: (snapshot: JsonSchema | undefined): JsonSchema =>
    message(
      'subscribed',
      {
        id,
        topic,
        epoch,
        offset,
        recovered: fields.recovered,
        ...(snapshot && { entries: fields.limitsOfEntries, snapshot, pages: fields.inPages }),
      },
      ['topic', 'epoch', 'offset', 'recovered'],
    ),
  publish: (data: JsonSchema, key = anyKey): JsonSchema =>
    message(
      'publish',
      {
        id,
        topic,
        data,
        key: keyField(key),
        remove: fields.remove,
        idempotencyKey: fields.idempotencyKey,
        after: fields.after,
      },
      ['topic', ...(key.isRequired ? ['key'] : [])],
    ),
} as const;

/** The rule of the protocol with that of the topic. */
function keyField({ schema }: KeyRule): JsonSchema {
  return { ...fields.key, ...schema };
}

/** All other messages of the protocol, by type. */
export const protocolMessages = {
  welcome: message(
    'welcome',
    {
      connectionId: { type: 'string', format: 'uuid', description: "As in the server's log." },
      instanceId: { type: 'string', description: "Name of the server's instance." },
      user: {
        description: 'The user as the server knows it; null for an anonymous client.',
        oneOf: [
          { type: 'null' },
          { title: 'User', type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
        ],
      },
      expiresAt,
      expiresInMs,
      reconnectSpreadMs: {
        type: 'number',
        minimum: 0,
        description: 'Window for reconnects, in milliseconds.',
      },
      limits: { title: 'Limits', type: 'object', description: 'Limits of this connection.' },
    },
    ['connectionId', 'instanceId', 'user', 'limits'],
  ),
  subscribe: message(
    'subscribe',
    {
      id,
      topic,
      since: fields.since,
      maxRate: fields.maxRate,
      maxMessageBytes: fields.maxMessageBytes,
      pages: fields.pages,
      entries: fields.entries,
    },
    ['topic'],
  ),
  unsubscribe: message('unsubscribe', { id, topic }, ['topic']),
  unsubscribed: message('unsubscribed', { id, topic, code, reason: words, retryAfterMs }, ['topic']),
  published: message('published', { id, topic, epoch, offset }, ['topic', 'epoch', 'offset']),
  page: message('page', { topic, last: fields.last, snapshot: fields.part }, ['topic', 'snapshot']),
  lost: message('lost', { topic, from: offset, to: fields.to, count: fields.lost }, [
    'topic',
    'from',
    'to',
    'count',
  ]),
  ping: message('ping', { id }),
  pong: message('pong', { id }),
  auth: message('auth', { id, token: fields.token }, ['token']),
  authenticated: message('authenticated', { id, expiresAt, expiresInMs }),
  incoming: message('incoming', { bytes: fields.bytes }, ['bytes']),
  draining: message('draining', { reconnectAfterMs: fields.reconnectAfterMs, windowMs: fields.windowMs }, [
    'reconnectAfterMs',
    'windowMs',
  ]),
  error: message('error', { id, code, message: words, topic, retryAfterMs }, ['code', 'message']),
} as const satisfies Record<string, JsonSchema>;

export type ProtocolMessage = keyof typeof protocolMessages;

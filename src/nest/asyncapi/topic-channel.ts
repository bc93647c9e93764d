import type { DescribedTopic } from './described.js';
import { topicId } from './document-ids.js';
import type { HoistedSchemas } from './hoisted.js';
import type { JsonSchema } from './json-schema.js';
import { dataMessages, type KeyRule } from './protocol-schemas.js';

/** A channel of the document. */
export interface Channel {
  readonly address: string | null;
  readonly [field: string]: unknown;
}

/** Parts of the document that one topic adds. */
export interface TopicParts {
  readonly id: string;
  readonly channel: Channel;
  readonly messages: Readonly<Record<string, JsonSchema>>;
  readonly operations: Readonly<Record<string, unknown>>;
}

/** Messages that are the same for every topic. */
const shared = ['subscribe', 'unsubscribe', 'unsubscribed', 'page', 'lost', 'error', 'published'] as const;

/** Describes a topic as a channel with its own messages. */
export function topicParts(topic: DescribedTopic, schemas: HoistedSchemas): TopicParts {
  const { address, params } = addressOf(topic.pattern);
  const id = topicId(topic.pattern);
  const name = (message: string): string => `${id}.${message}`;
  const hoisted = (what: string, schema: JsonSchema): JsonSchema => schemas.hoist(name(what), schema);
  const data = hoisted('data', topic.data);
  const messages: Record<string, JsonSchema> = {
    [name('event')]: dataMessages.event(data, keyOf(topic.key)),
    [name('subscribed')]: dataMessages.subscribed(snapshotOf()),
    ...(topic.publish && {
      [name('publish')]: dataMessages.publish(hoisted('publish', topic.publish), keyOf(topic.publishedKey)),
    }),
  };
  const own = Object.keys(messages).map((key) => [key.slice(id.length + 1), reference('messages', key)]);
  const common = shared
    .filter((message) => message !== 'published' || topic.publish !== undefined)
    .filter((message) => message !== 'page' || topic.snapshot !== undefined)
    .map((message) => [message, reference('messages', message)]);
  const channel = {
    address,
    title: topic.pattern,
    ...(params.length > 0 && { parameters: parametersOf(params, topic.params) }),
    messages: Object.fromEntries([...own, ...common]) as unknown,
  };
  return { id, channel, messages, operations: operationsOf(id, topic) };

  function keyOf(rule: KeyRule | undefined): KeyRule | undefined {
    return rule && { ...rule, schema: schemas.hoist(name('key'), rule.schema) };
  }

  /** The data has one name, also where it is the snapshot or a part of it. */
  function snapshotOf(): JsonSchema | undefined {
    const { snapshot } = topic;
    if (snapshot === topic.data) return data;
    if (snapshot?.['additionalProperties'] === topic.data) return { ...snapshot, additionalProperties: data };
    return snapshot && hoisted('snapshot', snapshot);
  }
}

function operationsOf(id: string, { pattern, publish, snapshot }: DescribedTopic): Record<string, unknown> {
  const channel = { $ref: `#/channels/${id}` };
  const of = (...messages: string[]) =>
    messages.map((message) => ({ $ref: `#/channels/${id}/messages/${message}` }));
  const reply = (...messages: string[]) => ({ channel, messages: of(...messages) });
  return {
    [`${id}.follow`]: {
      action: 'receive',
      channel,
      summary: `A client subscribes to ${pattern}.`,
      messages: of('subscribe'),
      reply: reply('subscribed', 'error'),
    },
    [`${id}.leave`]: {
      action: 'receive',
      channel,
      summary: `A client ends its subscription to ${pattern}.`,
      messages: of('unsubscribe'),
      reply: reply('unsubscribed', 'error'),
    },
    [`${id}.deliver`]: {
      action: 'send',
      channel,
      summary: `Subscribers of ${pattern} get what is published, what is lost, and the end of a subscription.`,
      messages: of('event', ...(snapshot === undefined ? [] : ['page']), 'lost', 'unsubscribed'),
    },
    ...(publish && {
      [`${id}.accept`]: {
        action: 'receive',
        channel,
        summary: `A client publishes to ${pattern}, if it may.`,
        messages: of('publish'),
        reply: reply('published', 'error'),
      },
    }),
  };
}

export function reference(kind: 'messages' | 'securitySchemes', name: string): { readonly $ref: string } {
  return { $ref: `#/components/${kind}/${name}` };
}

/** `fleet/:fleetId` is `fleet/{fleetId}`; a wildcard is a parameter with its place as its name. */
function addressOf(pattern: string): { readonly address: string; readonly params: string[] } {
  const segments = pattern.split('/');
  const named = new Set(segments.filter(isNamed).map((segment) => segment.slice(1)));
  const params: string[] = [];
  const parts = segments.map((segment, i) => {
    if (!isNamed(segment) && segment !== '*' && segment !== '**') return segment;
    let name = isNamed(segment)
      ? segment.slice(1)
      : `${segment === '**' ? 'rest' : 'segment'}${String(i + 1)}`;
    while (!isNamed(segment) && named.has(name)) name += '_';
    params.push(name);
    return `{${name}}`;
  });
  return { address: parts.join('/'), params };
}

function isNamed(segment: string): boolean {
  return segment.startsWith(':');
}

function parametersOf(params: readonly string[], schema: JsonSchema | undefined): Record<string, unknown> {
  const properties = (schema?.['properties'] ?? {}) as Record<string, JsonSchema>;
  return Object.fromEntries(params.map((name) => [name, parameterOf(properties[name] ?? {})]));
}

/** All parameters of AsyncAPI are strings. */
function parameterOf({ description, enum: values, default: preset, examples }: JsonSchema): JsonSchema {
  return {
    ...(typeof description === 'string' && { description }),
    ...(Array.isArray(values) && { enum: values.map(String) }),
    ...(preset !== undefined && { default: String(preset) }),
    ...(Array.isArray(examples) && { examples: examples.map(String) }),
  };
}

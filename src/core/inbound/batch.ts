import type { InboundMessage } from '../../protocol/client-messages.js';
import { LiveError } from '../../protocol/live.error.js';
import { isClientTopic } from '../../protocol/topic-name.js';
import { wishes } from './task.js';

/** Topics of one message that count as one message at the rate limit. [L-3.14] */
export const topicsPerCharge = 16;

/** Whether the message names several topics. */
export function isBatch({ type, topics }: InboundMessage): boolean {
  return topics !== undefined && (type === 'subscribe' || type === 'unsubscribe');
}

/** Weight of a message at the rate limit. [L-3.14] */
export function weightOf(message: InboundMessage | LiveError): number {
  if (message instanceof LiveError || !isBatch(message)) return 1;
  const { topics } = message;
  return Array.isArray(topics) ? Math.max(1, Math.ceil(topics.length / topicsPerCharge)) : 1;
}

/**
 * Splits a message with `topics` into one message per topic. Guards, pipes and handlers only see
 * those. Throws a `LiveError` that refuses the whole message.
 */
export function partsOf({ type, id, topic, topics }: InboundMessage, maxTopics: number): InboundMessage[] {
  if (topic !== undefined) throw violation('"topic" and "topics" exclude each other');
  if (!Array.isArray(topics) || topics.length === 0) throw violation('"topics" must be a list of topics');
  if (topics.length > maxTopics)
    throw new LiveError('limit-exceeded', `A message may name at most ${String(maxTopics)} topics`);
  const seen = new Set<string>();
  return topics.map((entry: unknown) => {
    const fields = type === 'subscribe' ? fieldsOf(entry) : { topic: entry };
    const name = fields?.['topic'];
    if (!isClientTopic(name)) throw violation(`"topics" must be a list of ${shapes[type] ?? 'topics'}`);
    if (seen.has(name)) throw violation('"topics" must name each topic once');
    seen.add(name);
    return { type, ...(id !== undefined && { id }), ...fields };
  });
}

const shapes: Readonly<Record<string, string>> = {
  subscribe: '{"topic", "since"?, "maxRate"?, "maxMessageBytes"?, "pages"?, "entries"?}',
  unsubscribe: 'topics',
};

const fieldNames = ['topic', 'since', ...wishes] as const;

function fieldsOf(entry: unknown): Record<string, unknown> | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const known = entry as Record<string, unknown>;
  return Object.fromEntries(
    fieldNames.filter((name) => known[name] !== undefined).map((name) => [name, known[name]]),
  );
}

function violation(message: string): LiveError {
  return new LiveError('protocol-violation', message);
}

import { Buffer } from 'node:buffer';
import { LiveError } from '../../protocol/live.error.js';
import type { BrokerPublishOptions } from '../ports/broker.js';
import type { TopicRules } from '../ports/policy.js';

/** Options that a publisher sets. The others come from the topic's rules. */
export type PublicationOptions = Pick<BrokerPublishOptions, 'key' | 'idempotencyKey' | 'version' | 'remove'>;

/** The options of most publications. */
export const noOptions: PublicationOptions & BrokerPublishOptions = Object.freeze({});

/** Assigns the fields one by one, because this runs per publication and spreading each is slow. */
export function brokerOptions(
  { key, idempotencyKey, version, remove }: PublicationOptions,
  { latest, history }: TopicRules,
): BrokerPublishOptions {
  const hasOptions = key !== undefined || idempotencyKey !== undefined || version !== undefined || remove;
  if (!hasOptions && latest === undefined && history === undefined) return noOptions;
  const options: { -readonly [Field in keyof BrokerPublishOptions]: BrokerPublishOptions[Field] } = {};
  if (key !== undefined) options.key = key;
  if (idempotencyKey !== undefined) options.idempotencyKey = idempotencyKey;
  if (version !== undefined) options.version = version;
  if (remove === true) options.remove = true;
  if (latest !== undefined) options.latest = latest;
  if (history !== undefined) options.history = history;
  return options;
}

/** [L-9.19] */
export function checkSize(
  topic: string,
  text: string,
  { maxPublicationBytes: most = Infinity }: TopicRules,
): void {
  // A UTF-16 unit has at most three bytes, so short text need not be counted.
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return;
  throw new LiveError(
    'limit-exceeded',
    `A publication of ${topic} has at most ${String(most)} bytes of JSON text, and this one has ${String(Buffer.byteLength(text))}`,
  );
}

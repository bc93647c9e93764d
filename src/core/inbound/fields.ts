import type { InboundMessage, PublishRequest, SubscribeRequest } from '../../protocol/messages.js';
import { LiveError } from '../../protocol/live.error.js';
import { isPosition, type Position } from '../../protocol/position.js';
import { fieldText } from '../../protocol/json-span.js';
import { minMessageBytes } from '../frame/shared-frame.js';
import { jsonTextOf } from '../frame/json-text.js';
import { isRate, rateAllowed } from '../pace/rate.js';
import { isTopicName, maxTopicLength } from '../../protocol/topic-name.js';

/** Whether a client may name this topic. [L-3.1] */
export function isClientTopic(topic: unknown): topic is string {
  return isTopicName(topic) && !topic.startsWith('$');
}

/** Returns the topic of a client's message. [L-3.1] */
export function topicOf(message: InboundMessage): string {
  const { topic } = message;
  if (isClientTopic(topic)) return topic;
  throw new LiveError(
    'protocol-violation',
    `"topic" must be 1 to ${String(maxTopicLength)} of A-Za-z0-9_.~- in segments joined by /, none of them . or ..`,
  );
}

/** Returns the position to resume from. [L-5.5] */
export function sinceOf({ since }: InboundMessage | SubscribeRequest): Position | undefined {
  if (since === undefined) return undefined;
  if (isPosition(since)) return { epoch: since.epoch, offset: since.offset };
  throw new LiveError('protocol-violation', '"since" must be {"epoch": string, "offset": integer >= 0}');
}

/** Returns the maximum rate that a subscribe requests, in publications per second. [L-4.8] */
export function maxRateOf({ maxRate }: InboundMessage | SubscribeRequest): number | undefined {
  if (maxRate === undefined || isRate(maxRate)) return maxRate;
  throw new LiveError('protocol-violation', `"maxRate" must be ${rateAllowed}`);
}

/** Whether a client may set this message limit. [L-9.20] */
export function isMessageBytes(bytes: unknown): bytes is number {
  return Number.isSafeInteger(bytes) && (bytes as number) >= minMessageBytes;
}

export const messageBytesAllowed = `an integer of at least ${String(minMessageBytes)}`;

/** Returns the maximum message size that a subscribe requests, in bytes. [L-9.20] */
export function maxMessageBytesOf({
  maxMessageBytes,
}: InboundMessage | SubscribeRequest): number | undefined {
  if (maxMessageBytes === undefined || isMessageBytes(maxMessageBytes)) return maxMessageBytes;
  throw new LiveError('protocol-violation', `"maxMessageBytes" must be ${messageBytesAllowed}`);
}

const maxKeyLength = 128;

/** Whether a publication may have this key. [L-4.3] */
export function isKey(key: unknown): key is string {
  return typeof key === 'string' && key.length > 0 && key.length <= maxKeyLength;
}

/** Returns the key of a publish. [L-4.3] */
export function keyOf({ key }: InboundMessage | PublishRequest): string | undefined {
  if (key === undefined) return undefined;
  if (isKey(key)) return key;
  throw new LiveError(
    'protocol-violation',
    `"key" must be a string of 1 to ${String(maxKeyLength)} characters`,
  );
}

/**
 * Whether a publish removes its key instead of setting data. [L-4.12]
 *
 * @throws LiveError `protocol-violation` for a value other than `true`, a missing key, or
 * additional data
 */
export function removes({ remove, key, data }: InboundMessage | PublishRequest): boolean {
  if (remove === undefined) return false;
  if (remove !== true) throw new LiveError('protocol-violation', '"remove" must be true or absent');
  if (key === undefined) throw new LiveError('protocol-violation', '"key" must be there with "remove"');
  if (data !== undefined) throw new LiveError('protocol-violation', '"data" must be absent with "remove"');
  return true;
}

const maxTokenLength = 16_384;

/** Returns the token of an auth. [L-7.1] */
export function tokenOf({ token }: InboundMessage): string {
  if (typeof token === 'string' && token.length > 0 && token.length <= maxTokenLength) return token;
  throw new LiveError(
    'protocol-violation',
    `"token" must be a string of 1 to ${String(maxTokenLength)} characters`,
  );
}

/**
 * Returns the data of a publish as JSON text: the original spelling from `written`, the text of the
 * client's message, unless the application modified the data. [L-4.3] [L-4.10]
 */
export function dataTextOf({ data }: InboundMessage | PublishRequest, written?: string): string {
  if (data === undefined) throw new LiveError('protocol-violation', '"data" must be there');
  const text = jsonTextOf(data);
  if (text === undefined) throw new LiveError('validation-failed', 'The data has no JSON text');
  const asWritten = written === undefined ? undefined : fieldText(written, 'data');
  return asWritten !== undefined && saysTheSame(asWritten, text) ? asWritten : text;
}

function saysTheSame(written: string, text: string): boolean {
  return written === text || JSON.stringify(JSON.parse(written)) === text;
}

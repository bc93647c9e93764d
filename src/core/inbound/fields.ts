import type { InboundMessage, PublishRequest, SubscribeRequest } from '../../protocol/client-messages.js';
import {
  type FieldName,
  isKey,
  isMessageBytes,
  isRate,
  isTokenText,
  isYesOrNo,
  mustBe,
} from '../../protocol/fields.js';
import { LiveError } from '../../protocol/live.error.js';
import { isClientTopic } from '../../protocol/topic-name.js';
import { isPosition, type Position } from '../../protocol/position.js';
import { fieldText } from '../../protocol/json-span.js';
import { jsonTextOf } from '../frame/json-text.js';

const wrong = (field: FieldName): LiveError => new LiveError('protocol-violation', mustBe(field));

/** Returns the topic of a client's message. [L-3.1] */
export function topicOf({ topic }: InboundMessage): string {
  if (isClientTopic(topic)) return topic;
  throw wrong('topic');
}

/** Returns the position to resume from. [L-5.5] */
export function sinceOf({ since }: InboundMessage | SubscribeRequest): Position | undefined {
  if (since === undefined) return undefined;
  if (isPosition(since)) return { epoch: since.epoch, offset: since.offset };
  throw wrong('since');
}

/** Returns the maximum rate that a subscribe requests, in publications per second. [L-4.8] */
export function maxRateOf({ maxRate }: InboundMessage | SubscribeRequest): number | undefined {
  if (maxRate === undefined || isRate(maxRate)) return maxRate;
  throw wrong('maxRate');
}

/** Returns the maximum message size that a subscribe requests, in bytes. [L-9.20] */
export function maxMessageBytesOf({
  maxMessageBytes,
}: InboundMessage | SubscribeRequest): number | undefined {
  if (maxMessageBytes === undefined || isMessageBytes(maxMessageBytes)) return maxMessageBytes;
  throw wrong('maxMessageBytes');
}

/** Returns whether a subscribe takes its snapshot in this form. [L-6.10] [L-6.11] */
export function takes(
  form: 'pages' | 'entries',
  { [form]: taken }: InboundMessage | SubscribeRequest,
): boolean | undefined {
  if (taken === undefined || isYesOrNo(taken)) return taken;
  throw wrong(form);
}

/** Returns the key of a publish. [L-4.3] */
export function keyOf({ key }: InboundMessage | PublishRequest): string | undefined {
  if (key === undefined || isKey(key)) return key;
  throw wrong('key');
}

/** Returns the idempotency key of a publish. [L-4.15] */
export function idempotencyKeyOf({
  idempotencyKey: key,
}: InboundMessage | PublishRequest): string | undefined {
  if (key === undefined || isKey(key)) return key;
  throw wrong('idempotencyKey');
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

/** Returns the token of an auth. [L-7.1] */
export function tokenOf({ token }: InboundMessage): string {
  if (isTokenText(token)) return token;
  throw wrong('token');
}

/**
 * Returns the data of a publish as JSON text: the original spelling from `written`, the text of the
 * client's message, unless the application modified the data. [L-4.3] [L-4.10]
 */
export function dataTextOf({ data }: InboundMessage | PublishRequest, written?: string): string {
  if (data === undefined) throw new LiveError('protocol-violation', '"data" must be there');
  const text = jsonTextOf(data);
  if (text === undefined) throw new LiveError('validation-failed', 'The data has no JSON text');
  if (written === undefined || endsWithData(written, text)) return text;
  const asWritten = fieldText(written, 'data');
  return asWritten !== undefined && saysTheSame(asWritten, text) ? asWritten : text;
}

const lastField = ',"data":';

/**
 * Whether this is the last field of the message, as most clients write it. Then nothing else has to
 * be searched. Inside a string the quote would follow a backslash.
 */
function endsWithData(message: string, text: string): boolean {
  const start = message.length - 1 - text.length;
  // `startsWith` compares each character by itself, and takes several times as long.
  return message.slice(start, -1) === text && message.slice(start - lastField.length, start) === lastField;
}

function saysTheSame(written: string, text: string): boolean {
  return written === text || JSON.stringify(JSON.parse(written)) === text;
}

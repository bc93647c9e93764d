import { isPosition } from './position.js';
import { isClientTopic, maxTopicLength, personalTopic } from './topic-name.js';

/** Longest string that a request's `id` may be, in characters. [L-2.4] */
export const maxRequestIdLength = 64;

/** Longest key of a publication, and longest idempotency key, in characters. [L-4.3] */
export const maxKeyLength = 128;

/** Longest token, in characters: Node's default limit for all headers together. [L-1.2] [L-7.1] */
export const maxTokenLength = 16_384;

/** The range of `maxRate`, in publications per second. [L-4.8] */
export const rateRange = { min: 0.01, max: 1_000 } as const;

/** Smallest `maxMessageBytes` that a client may ask for. [L-9.20] */
export const minMessageBytes = 1_024;

/** Whether a value can be a request's `id`. `1e999` parses, but cannot be echoed. [L-2.4] */
export function isRequestId(value: unknown): value is number | string {
  return Number.isFinite(value) || (typeof value === 'string' && value.length <= maxRequestIdLength);
}

/** Whether a publication may have this key. [L-4.3] */
export function isKey(key: unknown): key is string {
  return typeof key === 'string' && key.length > 0 && key.length <= maxKeyLength;
}

/** Whether a subscribe may ask for this many publications per second. [L-4.8] */
export function isRate(value: unknown): value is number {
  return typeof value === 'number' && value >= rateRange.min && value <= rateRange.max;
}

/** Whether a client may say that it takes no larger message. [L-9.20] */
export function isMessageBytes(bytes: unknown): bytes is number {
  return Number.isSafeInteger(bytes) && (bytes as number) >= minMessageBytes;
}

/** Whether a value says how a snapshot may come. [L-6.10] [L-6.11] */
export function isYesOrNo(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** Whether a value can be the token of an `auth`. [L-7.1] */
export function isTokenText(token: unknown): token is string {
  return typeof token === 'string' && token.length > 0 && token.length <= maxTokenLength;
}

/** A field of a message that has a rule. */
export type FieldName =
  | 'id'
  | 'topic'
  | 'since'
  | 'maxRate'
  | 'maxMessageBytes'
  | 'pages'
  | 'entries'
  | 'key'
  | 'idempotencyKey'
  | 'after'
  | 'token';

const isKeyWords = `a string of 1 to ${String(maxKeyLength)} characters`;
const isIdWords = `a number or a string of at most ${String(maxRequestIdLength)} characters`;

/** What the value of each field must be: the predicate, and the words for an error. */
export const fieldRules = {
  id: [isRequestId, isIdWords],
  topic: [
    isClientTopic,
    `1 to ${String(maxTopicLength)} of A-Za-z0-9_.~- in segments joined by /, none of them . or .., or ${personalTopic}`,
  ],
  since: [isPosition, '{"epoch": string, "offset": integer >= 0}'],
  maxRate: [isRate, `a number from ${String(rateRange.min)} to ${String(rateRange.max)}`],
  maxMessageBytes: [isMessageBytes, `an integer of at least ${String(minMessageBytes)}`],
  pages: [isYesOrNo, 'true or false'],
  entries: [isYesOrNo, 'true or false'],
  key: [isKey, isKeyWords],
  idempotencyKey: [isKey, isKeyWords],
  after: [isRequestId, isIdWords],
  token: [isTokenText, `a string of 1 to ${String(maxTokenLength)} characters`],
} as const satisfies Record<FieldName, readonly [(value: unknown) => boolean, string]>;

/** What is wrong with a field's value: `"topic" must be …`. */
export function mustBe(field: FieldName): string {
  return `"${field}" must be ${fieldRules[field][1]}`;
}

import { errorCodes } from '../../protocol/codes.js';
import {
  maxKeyLength,
  maxRequestIdLength,
  maxTokenLength,
  minMessageBytes,
  rateRange,
} from '../../protocol/fields.js';
import type { JsonSchema } from './json-schema.js';

const text = (description: string): JsonSchema => ({ type: 'string', description });
const count = (description: string): JsonSchema => ({ type: 'integer', minimum: 0, description });
const ms = (description: string): JsonSchema => ({ type: 'number', minimum: 0, description });

/** A list of one value, because Modelina makes `undefined` of a constant that is no string. */
const onlyTrue = (title: string, description: string): JsonSchema => ({
  title,
  type: 'boolean',
  enum: [true],
  description,
});

/** The fields of the protocol's messages, by name. PROTOCOL.md specifies them. */
export const fields = {
  id: {
    type: ['number', 'string'],
    maxLength: maxRequestIdLength,
    description: 'Chosen by the client and repeated in the answer.',
  },
  topic: text('The topic.'),
  epoch: text('Names the life of the stream. Offsets of another epoch mean nothing.'),
  offset: count('Number of the publication in its stream.'),
  since: {
    title: 'Position',
    type: 'object',
    description: 'The position of the last publication that the client has.',
    properties: { epoch: { type: 'string' }, offset: { type: 'integer', minimum: 0 } },
    required: ['epoch', 'offset'],
  },
  maxRate: {
    type: 'number',
    minimum: rateRange.min,
    maximum: rateRange.max,
    description: 'Publications per second that the client wants at most.',
  },
  maxMessageBytes: {
    type: 'integer',
    minimum: minMessageBytes,
    description: 'The largest message of this topic that the client takes, in bytes.',
  },
  pages: { type: 'boolean', description: 'Takes a large snapshot in pages.' },
  entries: { type: 'boolean', description: 'Takes the last data of each key as a list of entries.' },
  limitsOfEntries: {
    title: 'EntryLimits',
    type: 'object',
    description: 'The limits of the keys. The snapshot is a list of key, data and age in place of an object.',
    properties: {
      maxKeys: { type: 'integer', minimum: 1 },
      maxBytes: { type: 'integer', minimum: 1 },
      maxKeyAgeMs: { type: 'integer', minimum: 1 },
    },
    required: ['maxKeys', 'maxBytes'],
  },
  inPages: onlyTrue('InPages', 'The snapshot follows in pages.'),
  last: onlyTrue('Last', 'This is the last page of the snapshot.'),
  part: { description: 'Some fields of the snapshot if it is an object, or elements if it is an array.' },
  key: { type: 'string', minLength: 1, maxLength: maxKeyLength, description: 'The entity that it is about.' },
  token: { type: 'string', minLength: 1, maxLength: maxTokenLength, description: 'A new credential.' },
  recovered: { type: 'boolean', description: 'Whether the events continue the position that was asked for.' },
  from: count('First offset that it covers, if it covers several.'),
  to: count('Last offset that was lost.'),
  lost: count('Number of lost publications.'),
  idempotencyKey: {
    type: 'string',
    minLength: 1,
    maxLength: maxKeyLength,
    description: 'Makes it harmless to send the publish again.',
  },
  after: {
    type: ['number', 'string'],
    maxLength: maxRequestIdLength,
    description: 'The id of an earlier publish that this one must not overtake.',
  },
  removed: onlyTrue('Removed', 'The key was removed. There is no data.'),
  remove: onlyTrue('Remove', 'Removes the key. There is no data.'),
  code: { type: 'string', enum: errorCodes, description: 'What went wrong.' },
  words: text('The reason in words, for developers.'),
  retryAfterMs: ms('Milliseconds after which the request may succeed.'),
  expiresAt: ms('When the credential expires, in milliseconds since 1970.'),
  expiresInMs: ms('Milliseconds until the credential expires.'),
  reconnectAfterMs: ms('Milliseconds until the slot begins.'),
  windowMs: ms('Length of the slot in milliseconds.'),
  bytes: count('Size of the announced message.'),
} as const satisfies Record<string, JsonSchema>;

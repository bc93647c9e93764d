import {
  type InboundMessage,
  invalidEnvelope,
  maxRequestIdLength,
  type RequestId,
} from '../../protocol/messages.js';
import { LiveError } from '../../protocol/live.error.js';
import { isDeeperThan } from '../../protocol/json-depth.js';

/** Deepest JSON that is looked at. Deeper text parses, but overflows everything that walks it. [L-2.7] */
export const maxJsonDepth = 16;

// Made once: a peer may send thousands of wrong messages in one turn, and an error is slow to make and large to keep.
const tooDeep = violation(`JSON may be at most ${String(maxJsonDepth)} levels deep`);
const noEnvelope = violation(invalidEnvelope);
const wrongId = violation('"id" must be a number or a string of at most 64 characters');

/** Beside the messages and not in them, so that an application that copies one copies no text. */
const texts = new WeakMap<InboundMessage, string>();

/** A text frame as a message, or what is wrong with it. */
export function readEnvelope(text: string): InboundMessage | LiveError {
  if (isDeeperThan(text, maxJsonDepth)) return tooDeep;
  const message = parse(text);
  if (!isRecord(message) || typeof message['type'] !== 'string') return noEnvelope;
  if (message['id'] !== undefined && !isRequestId(message['id'])) return wrongId;
  const inbound = message as unknown as InboundMessage;
  if (inbound.type === 'publish') texts.set(inbound, text);
  return inbound;
}

/** The text of a `publish` as it came in; `undefined` for other messages. [L-4.10] */
export function textOf(message: InboundMessage): string | undefined {
  return texts.get(message);
}

function violation(message: string): LiveError {
  return new LiveError('protocol-violation', message);
}

function isRequestId(value: unknown): value is RequestId {
  // `1e999` is a number here and nothing that could be said back.
  return Number.isFinite(value) || (typeof value === 'string' && value.length <= maxRequestIdLength);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON value; `undefined` for what is none, or is nested too deeply to be walked. */
export function parseJson(text: string): unknown {
  return isDeeperThan(text, maxJsonDepth) ? undefined : parse(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

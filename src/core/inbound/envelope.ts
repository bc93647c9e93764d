import { type InboundMessage, invalidEnvelope } from '../../protocol/client-messages.js';
import { isRequestId, mustBe } from '../../protocol/fields.js';
import { LiveError } from '../../protocol/live.error.js';
import { isDeeperThan } from '../../protocol/json-depth.js';

/**
 * Maximum nesting depth of JSON in messages. Deeper text parses, but code that recurses over it
 * overflows. [L-2.7]
 */
export const maxJsonDepth = 16;

// Shared, because a peer may send thousands of invalid messages per turn, and errors are expensive.
const tooDeep = violation(`JSON may be at most ${String(maxJsonDepth)} levels deep`);
const noEnvelope = violation(invalidEnvelope);
const wrongId = violation(mustBe('id'));

/** Parses a text frame into a message, or returns what is wrong with it. */
export function readEnvelope(text: string): InboundMessage | LiveError {
  if (isDeeperThan(text, maxJsonDepth)) return tooDeep;
  const message = parse(text);
  if (!isRecord(message) || typeof message['type'] !== 'string') return noEnvelope;
  if (message['id'] !== undefined && !isRequestId(message['id'])) return wrongId;
  return message as unknown as InboundMessage;
}

function violation(message: string): LiveError {
  return new LiveError('protocol-violation', message);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses a JSON value. Returns `undefined` for invalid JSON and for values that are nested too
 * deeply.
 */
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

import {
  type InboundMessage,
  invalidEnvelope,
  maxRequestIdLength,
  type RequestId,
} from '../protocol/messages.js';
import { LiveError } from '../protocol/live.error.js';

/** Deepest JSON that is looked at. Deeper text parses, but overflows everything that walks it. [L-2.7] */
export const maxJsonDepth = 16;

// Made once: a peer may send thousands of wrong messages in one turn, and an error is slow to make and large to keep.
const tooDeep = violation(`JSON may be at most ${String(maxJsonDepth)} levels deep`);
const noEnvelope = violation(invalidEnvelope);
const wrongId = violation('"id" must be a number or a string of at most 64 characters');

/** A text frame as a message, or what is wrong with it. */
export function readEnvelope(text: string): InboundMessage | LiveError {
  if (isTooDeep(text)) return tooDeep;
  const message = parse(text);
  if (!isRecord(message) || typeof message['type'] !== 'string') return noEnvelope;
  if (message['id'] !== undefined && !isRequestId(message['id'])) return wrongId;
  return message as unknown as InboundMessage;
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
  return isTooDeep(text) ? undefined : parse(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const quote = 0x22;
const backslash = 0x5c;

/** Counts brackets outside of strings; a loop, because what it guards against is depth. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === backslash) i += 1;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    // `[` and `{`, `]` and `}` differ in one bit.
    else if ((code | 0x20) === 0x7b && ++depth > maxJsonDepth) return true;
    else if ((code | 0x20) === 0x7d) depth -= 1;
  }
  return false;
}

import type { Buffer } from 'node:buffer';
import type { Publication } from '../../core/ports/broker.js';

/**
 * What the publish script sends to a topic's channel: `1 <epoch> <offset> <bytes of the key, or -> <key><data>`. The first
 * word is the version; an envelope of another one is not read.
 */
export interface Envelope {
  readonly epoch: string;
  readonly publication: Publication;
}

/** A head is no longer: version, epoch of 64, offset of 16, length of a key of 128 characters. */
const longestHead = 90;
const head = /^1 ([\x21-\x7e]{1,64}) ([1-9]\d{0,15}) (-|[1-9]\d{0,2}) /;

/** `undefined` for anything that the script has not written: other versions, forged heads, data that is no JSON. */
export function readEnvelope(bytes: Buffer): Envelope | undefined {
  const match = head.exec(bytes.toString('latin1', 0, longestHead));
  if (match === null) return undefined;
  const [{ length: keyStart }, epoch = '', offsetText, keyText] = match;
  const offset = Number(offsetText);
  const dataStart = keyText === '-' ? keyStart : keyStart + Number(keyText);
  if (!Number.isSafeInteger(offset) || dataStart >= bytes.length) return undefined;
  const data = bytes.toString('utf8', dataStart);
  if (!isJson(data)) return undefined;
  if (keyText === '-') return { epoch, publication: { offset, data } };
  return { epoch, publication: { offset, data, key: bytes.toString('utf8', keyStart, dataStart) } };
}

/** What stands in Redis goes into frames as it is, and Redis may have other writers. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

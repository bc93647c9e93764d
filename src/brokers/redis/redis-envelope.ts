import type { Buffer } from 'node:buffer';
import type { Publication } from '../../core/ports/broker.js';
import { storedPublication } from '../stored-publication.js';

/**
 * The message that the publish script sends to a topic's channel: `1 <epoch> <offset> <bytes of the
 * key, or -> <key><data>`. The first word is the version; envelopes of other versions are ignored.
 */
export interface RedisEnvelope {
  readonly epoch: string;
  readonly publication: Publication;
}

/** Longest possible head: version, epoch of 64, offset of 16, key length of 128 characters. */
const longestHead = 90;
const head = /^1 ([\x21-\x7e]{1,64}) ([1-9]\d{0,15}) (-|[1-9]\d{0,2}) /;

/**
 * Returns `undefined` for anything the script did not write: other versions, forged heads, invalid
 * JSON.
 */
export function readRedisEnvelope(bytes: Buffer): RedisEnvelope | undefined {
  const match = head.exec(bytes.toString('latin1', 0, longestHead));
  if (match === null) return undefined;
  const [{ length: keyStart }, epoch = '', offsetText, keyText] = match;
  const offset = Number(offsetText);
  const dataStart = keyText === '-' ? keyStart : keyStart + Number(keyText);
  if (dataStart >= bytes.length) return undefined;
  const key = keyText === '-' ? undefined : bytes.toString('utf8', keyStart, dataStart);
  const publication = storedPublication(offset, bytes.toString('utf8', dataStart), key);
  return publication && { epoch, publication };
}

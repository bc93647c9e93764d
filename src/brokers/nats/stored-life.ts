import { Buffer } from 'node:buffer';
import { isEpoch } from '../stored-publication.js';
import { type LifeContent, type LifeRecord, maxServers } from './life-record.js';
import type { RawMessage } from './raw-message.js';
import { isCount, parsed } from './stored-message.js';

const version = 1;
const maxBytes = 65_536;

export function encodeLife(content: LifeContent): Buffer {
  const { life, epoch, since, before, servers, restarts } = content;
  return Buffer.from(
    JSON.stringify({
      v: version,
      n: life,
      e: epoch,
      ...(since !== undefined && { s: since }),
      l: before.map((era) => [era.life, era.epoch, era.seq]),
      d: [...servers],
      r: [...restarts],
    }),
  );
}

/** Returns `undefined` for bytes that are not a valid record. */
export function decodeLife(bytes: Uint8Array): LifeContent | undefined {
  if (bytes.length > maxBytes) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const value = parsed(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { v, n, e, s, l, d, r } = value as Record<string, unknown>;
  if (v !== version || !isCount(n) || n === 0 || !isEpoch(e)) return undefined;
  if (s !== undefined && !isCount(s)) return undefined;
  if (!Array.isArray(l) || !l.every(isEra) || !isPairs(d, isText) || !isPairs(r, isCount)) return undefined;
  return {
    life: n,
    epoch: e,
    since: s,
    before: l.map(([life, epoch, seq]) => ({ life, epoch, seq })),
    servers: new Map(d as [string, string][]),
    restarts: new Map(r as [string, number][]),
  };
}

/** The record in a stored message. Returns `undefined` for a message that is not a valid record. */
export function recordOf({ stream, seq, atMs, data }: RawMessage): LifeRecord | undefined {
  const content = decodeLife(data);
  return content && { ...content, stream, seq, atMs, since: content.since ?? seq };
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= 256;

function isEra(value: unknown): value is [number, string, number] {
  return (
    Array.isArray(value) && value.length === 3 && isCount(value[0]) && isEpoch(value[1]) && isCount(value[2])
  );
}

function isPairs(value: unknown, isValue: (each: unknown) => boolean): boolean {
  return (
    Array.isArray(value) &&
    value.length <= maxServers &&
    value.every((pair) => Array.isArray(pair) && pair.length === 2 && isText(pair[0]) && isValue(pair[1]))
  );
}

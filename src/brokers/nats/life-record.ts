import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { isEpoch } from '../stored-publication.js';
import { isCount, parsed } from './stored-message.js';

/**
 * A period in which newly opened topics share one epoch. It lasts while its record is in the
 * stream.
 */
export interface Era {
  /** Number of the store's life that the era belongs to. */
  readonly life: number;
  readonly epoch: string;
  /** Stream sequence of the era's record; every topic with this epoch was opened after it. */
  readonly seq: number;
}

/** The content of a record before it has a place in the stream. */
export interface LifeContent {
  readonly life: number;
  readonly epoch: string;
  /** Stream sequence of the life's first record; absent in that record itself. */
  readonly since?: number | undefined;
  /** Earlier eras, newest first. */
  readonly before: readonly Era[];
  /**
   * Ids of the servers that instances were connected to, by name. A server gets a new id on every
   * start.
   */
  readonly servers: ReadonlyMap<string, string>;
  /** Times of recent server restarts, by name. */
  readonly restarts: ReadonlyMap<string, number>;
}

/** The store's life as recorded in the stream, where all instances read it. */
export interface LifeRecord extends LifeContent {
  /** Identifies the incarnation of the stream that holds the record. */
  readonly stream: string;
  readonly seq: number;
  readonly since: number;
  readonly atMs: number;
}

/** The server of a connection. */
export interface ServerEvidence {
  readonly name: string;
  readonly id: string;
  readonly clustered: boolean;
  /** Number of servers that hold a copy of the stream. */
  readonly copies: number;
}

const version = 1;
const limits = { eras: 24, servers: 64, bytes: 65_536 } as const;
/** Long after this time, clustered servers have written everything to disk. */
const restartsMatterMs = 600_000;

/**
 * Compares the server with the record: the same life, the same life with a change to record, or
 * perhaps over.
 */
export function verdictOf(
  record: LifeContent,
  server: ServerEvidence,
  wallMs: number,
): 'same' | 'noted' | 'over' {
  const { name, id, clustered, copies } = server;
  if (!clustered) return [...record.servers.values()].includes(id) ? 'same' : 'over';
  const known = record.servers.get(name);
  if (known === id) return 'same';
  if (known === undefined) return 'noted';
  // A restart of one copy among several loses nothing, but simultaneous restarts of a majority may.
  return copies >= 3 && restartsWith(record, name, wallMs).size * 2 <= copies ? 'noted' : 'over';
}

/** The record that starts a new life; everything in the store becomes its past. */
export function newLife(
  before: LifeRecord | undefined,
  server: ServerEvidence,
  wallMs: number,
  atLeast = 0,
): LifeContent {
  return {
    // Based on the clock, so that the number grows even if the record was lost.
    life: Math.max((before?.life ?? 0) + 1, atLeast + 1, wallMs),
    epoch: randomEpoch(),
    before: before === undefined ? [] : erasWith(before),
    servers: serversWith(before, server),
    restarts: new Map(),
  };
}

/** The record of a new era in the same life, for topics opened from now on. */
export function newEra(before: LifeRecord, server: ServerEvidence, wallMs: number): LifeContent {
  const { life, since, servers } = before;
  const known = servers.get(server.name);
  return {
    life,
    since,
    epoch: randomEpoch(),
    before: erasWith(before),
    servers: serversWith(before, server),
    restarts:
      known === undefined || known === server.id
        ? before.restarts
        : restartsWith(before, server.name, wallMs),
  };
}

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
  if (bytes.length > limits.bytes) return undefined;
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

const randomEpoch = (): string => randomBytes(12).toString('base64url');

function erasWith({ life, epoch, seq, before }: LifeRecord): Era[] {
  return [{ life, epoch, seq }, ...before].slice(0, limits.eras);
}

function serversWith(before: LifeRecord | undefined, { name, id, clustered }: ServerEvidence) {
  const others = clustered ? [...(before?.servers ?? [])].filter(([other]) => other !== name) : [];
  return new Map([[name, id] as const, ...others].slice(0, limits.servers));
}

function restartsWith({ restarts }: LifeContent, name: string, wallMs: number): ReadonlyMap<string, number> {
  const lately = [...restarts].filter(([, atMs]) => Math.abs(wallMs - atMs) < restartsMatterMs);
  return new Map([...lately, [name, wallMs] as const].slice(-limits.servers));
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
    value.length <= limits.servers &&
    value.every((pair) => Array.isArray(pair) && pair.length === 2 && isText(pair[0]) && isValue(pair[1]))
  );
}

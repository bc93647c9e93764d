import { randomBytes } from 'node:crypto';
import type { StreamInfo } from '@nats-io/jetstream';

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

const maxEras = 24;
/** Servers of one record. */
export const maxServers = 64;
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

/**
 * Whether the record is in the older half of messages about to be dropped. Without it, no topic can
 * be opened.
 */
export function isAging(
  { seq, atMs }: LifeRecord,
  { first_seq: first, last_seq: last, bytes, messages }: StreamInfo['state'],
  { max_bytes: maxBytes, max_msgs: maxMessages, max_age: maxAgeNanos }: StreamInfo['config'],
  wallMs: number,
): boolean {
  if (seq < first) return true;
  if (maxAgeNanos > 0 && wallMs - atMs > maxAgeNanos / 2_000_000) return true;
  const isFull = (maxBytes > 0 && bytes > maxBytes / 2) || (maxMessages > 0 && messages > maxMessages / 2);
  return isFull && seq - first < (last - first) / 2;
}

const randomEpoch = (): string => randomBytes(12).toString('base64url');

function erasWith({ life, epoch, seq, before }: LifeRecord): Era[] {
  return [{ life, epoch, seq }, ...before].slice(0, maxEras);
}

function serversWith(before: LifeRecord | undefined, { name, id, clustered }: ServerEvidence) {
  const others = clustered ? [...(before?.servers ?? [])].filter(([other]) => other !== name) : [];
  return new Map([[name, id] as const, ...others].slice(0, maxServers));
}

function restartsWith({ restarts }: LifeContent, name: string, wallMs: number): ReadonlyMap<string, number> {
  const lately = [...restarts].filter(([, atMs]) => Math.abs(wallMs - atMs) < restartsMatterMs);
  return new Map([...lately, [name, wallMs] as const].slice(-maxServers));
}

import { Buffer } from 'node:buffer';
import { isEpoch, storedPublication, storedRemoval } from '../stored-publication.js';
import type { HistoryRules, LatestRule, Publication } from '../../core/ports/broker.js';

/** The data that a topic keeps for snapshots up to an offset, in messages of its own. */
export interface Base {
  readonly offset: number;
  readonly seqs: readonly number[];
}

/** An earlier epoch of the topic, and its last offset in the store. */
export interface PastEpoch {
  readonly epoch: string;
  readonly end: number;
}

/** The newest version of a key. */
export type KeyVersion = readonly [key: string, version: number];

/** What the next message of a topic must know about the last one. */
export interface Head {
  readonly epoch: string;
  /**
   * Number of the store's life in which the topic got its epoch; 0 for messages of versions without
   * lives.
   */
  readonly life: number;
  /** Earlier epochs of the topic, newest first. */
  readonly lineage: readonly PastEpoch[];
  /** Offset of the last publication; 0 before the first. */
  readonly top: number;
  /** The newest version among the topic's publications without a key. */
  readonly version?: number | undefined;
  /** Whether any publication had both a key and a version. */
  readonly keyed?: boolean | undefined;
  /** Rules of the newest publication that had any. */
  readonly rules?: HistoryRules | undefined;
  readonly latest?: LatestRule | undefined;
  /** Stream sequences of the topic's earlier messages, newest first. */
  readonly refs: readonly number[];
  readonly base?: Base | undefined;
  /** Number of messages since the base. */
  readonly tail: number;
}

/** One message of a topic: its publications, or none if it only records the end of the topic. */
export interface Content extends Head {
  readonly publications: readonly Publication[];
  /** Whether the publications belong to the history. */
  readonly kept: boolean;
  /** Whether the publications are kept for snapshots. */
  readonly remembered: boolean;
  /** Whether the topic's stream starts over, regardless of earlier messages. */
  readonly anew?: boolean | undefined;
  /** Versions of its keyed publications, in order; in a base, all known versions. */
  readonly versions?: readonly KeyVersion[] | undefined;
  /** In a base: when each publication was stored, in ms since 1970; 0 if unknown. */
  readonly times?: readonly number[] | undefined;
}

/** The place of a message. */
export interface Place {
  /** The stream's incarnation; the sequence has no meaning in another one. */
  readonly stream: string;
  readonly seq: number;
}

export interface StoredMessage extends Content, Place {
  readonly atMs: number;
  /** Bytes of JSON text of the publications. */
  readonly bytes: number;
}

/** How many earlier messages a message refers to; one round trip reads that many. */
export const refCount = 16;

const version = 1;
const newline = 0x0a;

/** Encodes a JSON line that describes the message, followed by the publications' JSON texts. */
export function encode(content: Content): Buffer {
  const { publications, rules, base, refs, latest, versions = [], times } = content;
  const texts = publications.map(({ data, removed }) => (removed === true ? storedRemoval : data));
  // JSON omits undefined fields.
  const line = {
    v: version,
    e: content.epoch,
    g: content.life > 0 ? content.life : undefined,
    y: content.lineage.length > 0 ? content.lineage.map(({ epoch, end }) => [epoch, end]) : undefined,
    o: content.top,
    t: content.tail,
    r: refs,
    p: publications.map(({ key, offset }, i) => {
      const length = Buffer.byteLength(texts[i] ?? '');
      return key === undefined ? [length, offset] : [length, offset, key];
    }),
    n: content.version,
    h: rules && [rules.size, rules.ttlMs, rules.maxBytes],
    l: latest,
    b: base && [base.offset, ...base.seqs],
    k: content.kept ? 1 : undefined,
    m: content.remembered ? 1 : undefined,
    a: content.anew === true ? 1 : undefined,
    // Earlier versions of this broker do not know the following fields, and omit them from their
    // messages.
    q: content.keyed === true ? 1 : undefined,
    u: versions.length > 0 ? versions : undefined,
    w: times,
  };
  return Buffer.from(`${JSON.stringify(line)}\n${texts.join('')}`);
}

/** Returns `undefined` for bytes that are not a valid message. */
export function decode(bytes: Uint8Array): (Content & { readonly bytes: number }) | undefined {
  const end = bytes.indexOf(newline);
  const line = end < 0 ? undefined : parsed(Buffer.from(bytes.buffer, bytes.byteOffset, end).toString());
  if (!isLine(line)) return undefined;
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + end + 1, bytes.byteLength - end - 1);
  const publications: Publication[] = [];
  let from = 0;
  for (const [length, offset, key] of line.p) {
    const data = body.toString('utf8', from, from + length);
    from += length;
    const publication = storedPublication(offset, data, key);
    if (publication === undefined) return undefined;
    publications.push(publication);
  }
  if (from !== body.length) return undefined;
  const [size, ttlMs, maxBytes] = line.h ?? [];
  const [baseOffset, ...seqs] = line.b ?? [];
  return {
    epoch: line.e,
    life: line.g ?? 0,
    lineage: (line.y ?? []).map(([epoch, end]) => ({ epoch, end })),
    top: line.o,
    tail: line.t,
    refs: line.r,
    publications,
    bytes: body.length,
    version: line.n,
    rules:
      size === undefined || ttlMs === undefined || maxBytes === undefined
        ? undefined
        : { size, ttlMs, maxBytes },
    latest: line.l,
    base: baseOffset === undefined ? undefined : { offset: baseOffset, seqs },
    kept: line.k === 1,
    remembered: line.m === 1,
    anew: line.a === 1,
    keyed: line.q === 1,
    versions: line.u,
    times: line.w,
  };
}

interface Line {
  readonly e: string;
  readonly g?: number;
  readonly y?: readonly (readonly [epoch: string, end: number])[];
  readonly o: number;
  readonly t: number;
  readonly r: readonly number[];
  readonly p: readonly (readonly [length: number, offset: number, key?: string])[];
  readonly n?: number;
  readonly h?: readonly number[];
  readonly l?: LatestRule;
  readonly b?: readonly number[];
  readonly k?: 1;
  readonly m?: 1;
  readonly a?: 1;
  readonly q?: 1;
  readonly u?: readonly KeyVersion[];
  readonly w?: readonly number[];
}

/** Longest lineage written: more than any client needs, and a few hundred bytes. */
export const maxLineage = 16;

export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const areCounts = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= 4_096 && value.every(isCount);
const isFlag = (value: unknown): boolean => value === undefined || value === 1;

function isLine(value: unknown): value is Line {
  if (typeof value !== 'object' || value === null) return false;
  const line = value as Record<string, unknown>;
  const { v, e, g, y, o, t, r, p, n, h, l, b, u, w } = line;
  return (
    v === version &&
    isEpoch(e) &&
    (g === undefined || (isCount(g) && g > 0)) &&
    (y === undefined || isLineage(y)) &&
    isCount(o) &&
    isCount(t) &&
    areCounts(r) &&
    Array.isArray(p) &&
    p.every(isPart) &&
    (n === undefined || Number.isSafeInteger(n)) &&
    (h === undefined || (areCounts(h) && (h as unknown[]).length === 3)) &&
    (l === undefined || l === 'last' || l === 'last-per-key') &&
    (b === undefined || (areCounts(b) && (b as unknown[]).length > 0)) &&
    (u === undefined || (Array.isArray(u) && u.every(isKeyVersion))) &&
    (w === undefined || (Array.isArray(w) && w.length === p.length && w.every(isCount))) &&
    [line['k'], line['m'], line['a'], line['q']].every(isFlag)
  );
}

function isKeyVersion(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  return typeof value[0] === 'string' && Number.isSafeInteger(value[1]);
}

function isLineage(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= 64 && value.every(isPast);
}

function isPast(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && isEpoch(value[0]) && isCount(value[1]);
}

function isPart(part: unknown): boolean {
  if (!Array.isArray(part) || part.length < 2 || part.length > 3) return false;
  const [length, offset, key] = part as unknown[];
  return isCount(length) && isCount(offset) && (part.length === 2 || typeof key === 'string');
}

/** Returns `undefined` if the text is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

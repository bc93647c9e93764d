import type { LatestReading, Publication, RecoveryLimits, StreamReading } from '../../core/ports/broker.js';
import type { Position } from '../../protocol/position.js';
import { latestHeadBytes } from './publish-script.js';
import { isJson } from './redis-envelope.js';
import { positionOf, script, strangeAnswer } from './redis-script.js';

/** Milliseconds that the epoch of a topic is remembered to which nothing was ever published: a client may name any topic. */
const untouchedMs = 86_400_000;

const stay = `
local function stay(at, s, metaTtl)
  local ttl = s.o == 0 and s.n == 0 and ${String(untouchedMs)} or math.max(tonumber(metaTtl), s.t)
  if redis.call('PTTL', KEYS[at]) < ttl / 2 then redis.call('PEXPIRE', KEYS[at], ttl) end
end
`;

/**
 * KEYS: meta, history, latest, order. ARGV: candidate, life, metadata's time, epoch and offset that are known, most
 * publications and bytes. Returns epoch, offset, and the entries after what is known: not there unless all are, none too old.
 */
export const readScript = script(`${stay}
local epoch, offset, most, mostBytes = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local s = open(1, ARGV[1], ARGV[2])
stay(1, s, ARGV[3])
local missing = s.o - offset
if epoch ~= s.e or missing < 0 then return { s.e, s.o } end
if missing == 0 then return { s.e, s.o, {} } end
if missing > most then return { s.e, s.o } end
local first = redis.call('XRANGE', KEYS[2], whole(offset + 1), '+', 'COUNT', 1)[1]
if not first then return { s.e, s.o } end
local now = redis.call('TIME')
local age = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(first[1]:match('%-(%d+)$'))
if age > s.t then return { s.e, s.o } end
if s.c - tonumber(first[2][4]) + #first[2][2] > mostBytes then return { s.e, s.o } end
return { s.e, s.o, redis.call('XRANGE', KEYS[2], whole(offset + 1), '+', 'COUNT', missing) }
`);

/** KEYS: meta, history, latest, order of each topic. ARGV: candidate, life, metadata's time. Returns epoch, offset of each. */
export const topsScript = script(`${stay}
local tops = {}
for at = 1, #KEYS, 4 do
  local s = open(at, ARGV[1], ARGV[2])
  stay(at, s, ARGV[3])
  tops[#tops + 1] = s.e
  tops[#tops + 1] = s.o
end
return tops
`);

/** KEYS: meta, history, latest, order. ARGV: candidate, life, metadata's time. Returns epoch, offset, rule, fields and values. */
export const latestScript = script(`${stay}
local s = open(1, ARGV[1], ARGV[2])
stay(1, s, ARGV[3])
return { s.e, s.o, s.m, redis.call('HGETALL', KEYS[3]) }
`);

export function readArguments(since: Position | undefined, { count, bytes }: RecoveryLimits): string[] {
  return [since?.epoch ?? '', String(since?.offset ?? 0), String(count), String(bytes)];
}

/** What the read script returned; `missed` only when it is what it should be, without a gap. `junk` is told of what is none. */
export function streamReading(
  answer: unknown,
  since: Position | undefined,
  junk: (count: number) => void,
): StreamReading {
  const [epoch, offset, entries] = listOf(answer);
  const top = positionOf(epoch, offset);
  if (since === undefined || !Array.isArray(entries)) return { top, missed: undefined };
  const missed = entries.map(publicationOf).filter((publication) => publication !== undefined);
  junk(entries.length - missed.length);
  const complete =
    missed.length === top.offset - since.offset &&
    missed.every((publication, i) => publication.offset === since.offset + 1 + i);
  return { top, missed: complete ? missed : undefined };
}

/** What the calls of the tops script returned, in the order of `topics`. */
export function topsReading(
  topics: readonly string[],
  answers: readonly unknown[],
): ReadonlyMap<string, Position> {
  const tops = answers.flatMap(listOf);
  return new Map(topics.map((topic, i) => [topic, positionOf(tops[2 * i], tops[2 * i + 1])]));
}

export function latestReading(answer: unknown): LatestReading {
  const [epoch, offset, rule, flat] = listOf(answer);
  const top = positionOf(epoch, offset);
  const fields = new Map(pairsOf(listOf(flat)));
  const values =
    rule === 'last' ? [[fields.get('k'), fields.get('d')] as const] : [...fields].map((pair) => pair);
  return {
    top,
    publications: values
      .flatMap(([key, value]) => latestOf(key, value))
      .toSorted((one, other) => one.order - other.order)
      .map(({ publication }) => publication),
  };
}

function latestOf(key: string | undefined, value = ''): { order: number; publication: Publication }[] {
  const half = latestHeadBytes / 2;
  const order = Number(value.slice(0, half));
  const offset = Number(value.slice(half, latestHeadBytes));
  const data = value.slice(latestHeadBytes);
  if (!Number.isSafeInteger(order) || !Number.isSafeInteger(offset) || !isJson(data)) return [];
  return [{ order, publication: { offset, data, ...(key !== undefined && { key }) } }];
}

/** `[id, [field, value, …]]` as a publication. */
function publicationOf(entry: unknown): Publication | undefined {
  const [id, flat] = Array.isArray(entry) ? (entry as unknown[]) : [];
  if (typeof id !== 'string' || !Array.isArray(flat)) return undefined;
  const fields = new Map(pairsOf(flat));
  const data = fields.get('d');
  const key = fields.get('k');
  if (data === undefined || !isJson(data)) return undefined;
  return { offset: Number.parseInt(id, 10), data, ...(key !== undefined && { key }) };
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw strangeAnswer();
  return value as unknown[];
}

function pairsOf(flat: readonly unknown[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([String(flat[i]), String(flat[i + 1])]);
  return pairs;
}

import type { LatestReading, Publication, RecoveryLimits, StreamReading } from '../../core/ports/broker.js';
import type { Position } from '../../protocol/position.js';
import { libraryLua, openLua } from './life-lua.js';
import { latestHeadBytes } from './publish-script.js';
import { storedPublication } from '../stored-publication.js';
import { hotScript, positionOf, script, strangeAnswer } from './redis-script.js';

/**
 * KEYS: life record, meta, and the history if a position is given. ARGV: the three of all scripts,
 * known epoch and offset, maximum publications and bytes. Returns epoch, offset, life, and the
 * entries after the known position, unless some are missing or too old.
 */
export const readScript = hotScript(`
local since, known, maxCount, maxBytes = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local history = KEYS[3]
${openLua}
if not isOpen or (since ~= '' and since ~= topicEpoch) then
  ${libraryLua}
  local s = look(KEYS[2])
  if since == '' or not within(s, KEYS[2], since, known) then return { s.e, s.o, n } end
  topicEpoch, o, c, t, usesHistory, life = s.e, s.o, s.c, s.t, s.h, n
elseif since == '' or known > o then return { topicEpoch, o, life } end
local missing = o - known
if missing == 0 then return { topicEpoch, o, life, {} } end
if missing > maxCount or not history or not usesHistory then return { topicEpoch, o, life } end
local from = string.format('%.0f', known + 1)
local found = redis.pcall('XRANGE', history, from, '+', 'COUNT', 1)
if found.err then
  if not found.err:find('WRONGTYPE', 1, true) then error(found, 0) end
  junk = junk + 1
end
local oldest = found[1]
local upTo, at = oldest and count(oldest[2][4]), oldest and oldest[1]:match('%-(%d+)$')
local time = redis.call('TIME')
if not upTo or time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(at) > t then return { topicEpoch, o, life } end
if c - upTo + #oldest[2][2] > maxBytes then return { topicEpoch, o, life } end
return { topicEpoch, o, life, redis.call('XRANGE', history, from, '+', 'COUNT', missing) }
`);

/**
 * KEYS: life record, meta of each topic. ARGV: the three of all scripts. Returns the current epoch,
 * the life, and for each topic its offset, or epoch and offset as one text if its epoch is not the
 * current one.
 */
export const topsScript = script(`
local tops = { e, n }
for at = 2, #KEYS do
  local f, top = ask('HMGET', KEYS[at], 'e', 'r', 'o'), 0
  if not f or f[1] or f[2] or f[3] then
    local epoch, r, o = f and f[1], count(f and f[2]), count(f and f[3])
    if not r or not o or r > n or not epochIn(epoch) then
      local s = look(KEYS[at])
      top = s.e .. ' ' .. whole(s.o)
    elseif r < n or epoch == e then top = o else top = epoch .. ' ' .. whole(o) end
  end
  tops[at + 1] = top
end
tops[1], tops[2] = e, n
return tops
`);

/**
 * KEYS: life record, meta, latest. ARGV: the three of all scripts. Returns epoch, offset, life,
 * rule, fields and values, time. If part of a snapshot is missing, all of it and the topic are
 * lost, which is the only thing that readers ever write.
 */
export const latestScript = hotScript(`
${openLua}
if isOpen then
  if m == '' then return { topicEpoch, o, life, '', {} } end
  local flat = redis.pcall('HGETALL', KEYS[3])
  local complete = m ~= 'last' and not flat.err and #flat == 2 * k
  if m == 'last' then
    for i = 1, #flat, 2 do complete = complete or flat[i] == 'd' end
  end
  if complete then return { topicEpoch, o, life, m, flat, redis.call('TIME') } end
end
${libraryLua}
local s = look(KEYS[2])
if s.m == '' then return { s.e, s.o, n, '', {} } end
local flat, complete = ask('HGETALL', KEYS[3]) or {}, false
if s.m == 'last' then
  for i = 1, #flat, 2 do complete = complete or flat[i] == 'd' end
else complete = #flat == 2 * s.k end
if complete then return { s.e, s.o, n, s.m, flat, redis.call('TIME') } end
redis.call('HDEL', KEYS[2], 'r')
s = look(KEYS[2])
return { s.e, s.o, n, '', {} }
`);

export function readArguments(since: Position | undefined, { count, bytes }: RecoveryLimits): string[] {
  return [since?.epoch ?? '', String(since?.offset ?? 0), String(count), String(bytes)];
}

/**
 * Parses the answer of the read script; `missed` is set only if it is complete. `junk` gets the
 * number of invalid entries.
 */
export function streamReading(
  answer: unknown,
  since: Position | undefined,
  junk: (count: number) => void,
): StreamReading {
  const [epoch, offset, , entries] = listOf(answer);
  const top = positionOf(epoch, offset);
  if (since === undefined || !Array.isArray(entries)) return { top, missed: undefined };
  const missed = entries.map(publicationOf).filter((publication) => publication !== undefined);
  junk(entries.length - missed.length);
  const complete =
    missed.length === top.offset - since.offset &&
    missed.every((publication, i) => publication.offset === since.offset + 1 + i);
  return { top, missed: complete ? missed : undefined };
}

/** Parses the answer of the tops script, in the order of its topics. */
export function topsReading(answer: unknown): readonly Position[] {
  const [current, , ...tops] = listOf(answer);
  return tops.map((top) => {
    if (typeof top === 'number') return positionOf(current, top);
    const [epoch, offset] = String(top).split(' ');
    return positionOf(epoch, Number(offset));
  });
}

/** The life at the given index of a reading script's answer. */
export function lifeOf(answer: unknown, place: number): number {
  const life = listOf(answer)[place];
  if (typeof life !== 'number') throw strangeAnswer();
  return life;
}

/** @param maxKeyAgeMs - drops keys published longer ago, by the clock of Redis */
export function latestReading(answer: unknown, maxKeyAgeMs?: number): LatestReading {
  const [epoch, offset, , rule, flat, time] = listOf(answer);
  const top = positionOf(epoch, offset);
  const fields = new Map(pairsOf(listOf(flat)));
  const values =
    rule === 'last' ? [[fields.get('k'), fields.get('d')] as const] : [...fields].map((pair) => pair);
  const [seconds, microseconds] = Array.isArray(time) ? (time as unknown[]).map(Number) : [];
  const now = (seconds ?? NaN) * 1e6 + (microseconds ?? NaN);
  const ageMs = ({ order }: { order: number }): number | undefined =>
    order >= minMicroseconds ? Math.max(0, now - order) / 1_000 : undefined;
  const kept = values
    .flatMap(([key, value]) => latestOf(key, value))
    .filter((each) => !((ageMs(each) ?? 0) > (maxKeyAgeMs ?? Infinity)))
    .toSorted((one, other) => one.order - other.order);
  const publications = kept.map(({ publication }) => publication);
  return { top, publications, ...(maxKeyAgeMs !== undefined && { agesMs: kept.map(ageMs) }) };
}

/** Smaller values are counts written by an earlier version, whose age is unknown. */
const minMicroseconds = 1e15;

function latestOf(key: string | undefined, value = ''): { order: number; publication: Publication }[] {
  const half = latestHeadBytes / 2;
  const order = Number(value.slice(0, half));
  const offset = Number(value.slice(half, latestHeadBytes));
  const data = value.slice(latestHeadBytes);
  const publication = storedPublication(offset, data, key);
  // A removal stored as a topic's last publication. A removed key leaves nothing behind.
  if (publication === undefined || publication.removed === true) return [];
  return Number.isSafeInteger(order) ? [{ order, publication }] : [];
}

/** Converts `[id, [field, value, …]]` to a publication. */
function publicationOf(entry: unknown): Publication | undefined {
  const [id, flat] = Array.isArray(entry) ? (entry as unknown[]) : [];
  if (typeof id !== 'string' || !Array.isArray(flat)) return undefined;
  const fields = new Map(pairsOf(flat));
  const data = fields.get('d');
  const key = fields.get('k');
  return data === undefined ? undefined : storedPublication(Number.parseInt(id, 10), data, key);
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

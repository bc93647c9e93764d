import { createHash } from 'node:crypto';
import { isPosition, type Position } from '../../protocol/position.js';

/** A Lua script, which Redis runs as one step and knows by its SHA-1. */
export interface RedisScript {
  readonly lua: string;
  readonly sha: string;
}

/**
 * Before every script: the stream's state, made where there is none. An epoch ends where its stream may have lost
 * something: the metadata is gone (FLUSHALL, eviction, a restart without persistence), or it was written by another life of
 * the server (a restart, a fail-over) that could not promise to keep what it had acknowledged. The candidate for the new
 * epoch comes from outside because scripts have no randomness; whoever comes first writes it.
 *
 * The hash: e epoch, r life of the server, o offset, v version, c bytes ever appended, f bytes before the oldest that is
 * kept or fewer, t history's time, m rule of the latest, n count and b bytes of the latest.
 */
const prologue = `
local function whole(number) return string.format('%.0f', number) end
local function open(at, candidate, life)
  local meta, history = KEYS[at], KEYS[at + 1]
  local s = redis.call('HMGET', meta, 'e', 'r', 'o', 'v', 'c', 'f', 't', 'm', 'n', 'b')
  if s[1] and s[2] == life then
    return { e = s[1], o = tonumber(s[3]), v = s[4] and tonumber(s[4]), c = tonumber(s[5]), f = tonumber(s[6]),
      t = tonumber(s[7]), m = s[8], n = tonumber(s[9]), b = tonumber(s[10]) }
  end
  redis.call('UNLINK', history)
  if not s[1] then redis.call('UNLINK', KEYS[at + 2], KEYS[at + 3]) end
  redis.call('HSET', meta, 'e', candidate, 'r', life, 'o', '0', 'c', '0', 'f', '0', 't', s[7] or '0', 'm', s[8] or '',
    'n', s[9] or '0', 'b', s[10] or '0')
  return { e = candidate, o = 0, v = s[4] and tonumber(s[4]), c = 0, f = 0, t = tonumber(s[7] or '0'), m = s[8] or '',
    n = tonumber(s[9] or '0'), b = tonumber(s[10] or '0') }
end
`;

export function script(body: string): RedisScript {
  const lua = prologue + body;
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** @throws Error for an answer that is none of the script's */
export function positionOf(epoch: unknown, offset: unknown): Position {
  const position = { epoch, offset };
  if (!isPosition(position)) throw strangeAnswer();
  return position;
}

export function strangeAnswer(): Error {
  return new Error('Redis holds something else under the keys of this topic.');
}

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
 * the server (a restart, a fail-over) that could not promise to keep what it had acknowledged, or by somebody else. The
 * candidate for the new epoch comes from outside because scripts have no randomness; whoever comes first writes it.
 *
 * The hash: e epoch, r life of the server, o offset, v version, c bytes ever appended, f bytes before the oldest that is
 * kept or fewer, t history's time, m rule of the latest, n count and b bytes of the latest.
 */
const prologue = `
local junk, half = 0, false
local function whole(number) return string.format('%.0f', number) end
local function count(text)
  local number = tonumber(text)
  if number and number >= 0 and number < 9007199254740991 and number % 1 == 0 then return number end
end
local function epochIn(text) return #text > 0 and #text <= 64 and not text:find('[^!-~]') end
local function ask(...)
  local answer = redis.pcall(...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if not answer.err:find('WRONGTYPE', 1, true) then error(answer, 0) end
  junk = junk + 1
end
local function open(at, candidate, life)
  local meta, history = KEYS[at], KEYS[at + 1]
  local f = ask('HMGET', meta, 'e', 'r', 'o', 'v', 'c', 'f', 't', 'm', 'n', 'b')
  if not f then
    redis.call('UNLINK', meta)
    f = {}
  end
  local s = { e = f[1], o = count(f[3]), v = tonumber(f[4]), c = count(f[5]), f = count(f[6]), t = count(f[7]), m = f[8],
    n = count(f[9]), b = count(f[10]) }
  local keepsLatest = s.e and s.m and s.n and s.b
  if s.e and f[2] == life then
    if s.o and s.c and s.f and s.t and keepsLatest and epochIn(s.e) then return s end
    junk = junk + 1
  end
  redis.call('UNLINK', history)
  if not keepsLatest then
    redis.call('UNLINK', KEYS[at + 2], KEYS[at + 3])
    s.m, s.n, s.b = '', 0, 0
  end
  s.e, s.o, s.c, s.f, s.t = candidate, 0, 0, 0, s.t or 0
  redis.call('HSET', meta, 'e', s.e, 'r', life, 'o', '0', 'c', '0', 'f', '0', 't', whole(s.t), 'm', s.m, 'n', whole(s.n),
    'b', whole(s.b))
  return s
end
local function run()
`;

/**
 * After every script. Redis rolls nothing back, and others may write to our keys: where something failed with a publication
 * half written, or because of what others wrote, the epoch ends, with which the history goes. Junk does not stop the script:
 * it runs once more. The answer then stands behind how much junk there was.
 */
const epilogue = `
end
for attempt = 1, 2 do
  local fine, answer = pcall(run)
  if fine then return junk > 0 and { junk, answer } or answer end
  local text, foreign = type(answer) == 'table' and answer.err or tostring(answer), false
  for _, words in ipairs({ 'WRONGTYPE', 'equal or smaller', 'last possible ID', 'attempt to', 'bad argument' }) do
    foreign = foreign or text:find(words, 1, true)
  end
  if foreign or half then redis.call('HDEL', KEYS[1], 'r') end
  if not foreign or attempt == 2 then return { err = (text:gsub('^@?user_script: ?%d+: ', '')) } end
  if ask('HSTRLEN', KEYS[3], 'd') and ask('ZCARD', KEYS[4]) then
    junk = junk + 1
  else
    redis.call('UNLINK', KEYS[3], KEYS[4])
    redis.call('HSET', KEYS[1], 'm', '')
  end
end
`;

export function script(body: string): RedisScript {
  const lua = prologue + body + epilogue;
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** What a script answered, and how much junk it met. */
export function withoutJunk(answer: unknown): readonly [answer: unknown, junk: number] {
  if (!Array.isArray(answer) || typeof answer[0] !== 'number') return [answer, 0];
  return [answer[1], answer[0]];
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

import { createHash } from 'node:crypto';
import { isPosition, type Position } from '../../protocol/position.js';
import { libraryLua } from './life-lua.js';

/** A Lua script, which Redis runs atomically and identifies by its SHA-1. */
export interface RedisScript {
  readonly lua: string;
  readonly sha: string;
}

/** A run without keys only loads the script, without the permission for `SCRIPT LOAD`. */
const prologue = `
if #KEYS == 0 then return {} end
local junk, half, again = 0, false, false
local function run()
`;

/**
 * Redis has no rollback, and others may write to our keys. If a publication failed half-way, or a
 * foreign write broke the keys, the topic is lost: without `r` none of it counts. Foreign entries
 * do not stop the script, which runs once more and then returns their number before the answer.
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
  if foreign then junk = junk + 1 end
  if foreign or half or again then redis.call('HDEL', KEYS[2], 'r') end
  if not (foreign or again) or attempt == 2 then return { err = (text:gsub('^@?user_script: ?%d+: ', '')) } end
  half, again = false, false
end
`;

/**
 * A script about topics. KEYS: life record, metadata, then the script's own. ARGV: what the
 * instance knows of the node (`run r2`, or the number of the life if the link's own probe compares
 * it), candidate for a new epoch, lifetime of metadata, then the script's own.
 */
export function script(body: string): RedisScript {
  return hotScript(libraryLua + body);
}

/**
 * Like `script`, but without the functions of `lifeLua` and `topicLua`, which Lua creates at every
 * run for a tenth of a microsecond each. The script adds them on the paths that need them.
 */
export function hotScript(body: string): RedisScript {
  return plainScript(prologue + body + epilogue);
}

export function plainScript(lua: string): RedisScript {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** Splits a script's answer into the answer itself and the number of junk entries it met. */
export function withoutJunk(answer: unknown): readonly [answer: unknown, junk: number] {
  if (!Array.isArray(answer) || typeof answer[0] !== 'number') return [answer, 0];
  return [answer[1], answer[0]];
}

/** @throws Error if the script returned no position */
export function positionOf(epoch: unknown, offset: unknown): Position {
  const position = { epoch, offset };
  if (!isPosition(position)) throw strangeAnswer();
  return position;
}

export function strangeAnswer(): Error {
  return new Error('The keys of this topic in Redis have an unexpected format.');
}

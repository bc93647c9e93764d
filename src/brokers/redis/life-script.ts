import { lifeLua } from './life-lua.js';
import { plainScript } from './redis-script.js';

/**
 * Milliseconds without a probe after which an unobserved change of `master_replid` means a new
 * life.
 */
const quietMs = 10_000;

/**
 * Checks the server in a way that only a working master passes: replicas and loading servers refuse
 * it. With the record's key it also writes a new life if the store may have been rolled back: a new
 * process, a promotion, a record older than the caller's, or a rollback that the caller saw.
 * `master_replid` also changes when a first replica joins or the backlog is freed, so a change
 * counts only if nobody was watching.
 *
 * KEYS: life record, or none; then metadata of topics that were rolled back alone, and are lost.
 * ARGV: candidate, metadata's time, channel and text of the probe, the `master_replid` that this
 * connection knows, the life that the caller knows, the life that must end; then the epochs of
 * those topics. Returns n, e, `master_replid`, `run r2`.
 */
export const lifeScript = plainScript(`
local junk = 0
${lifeLua}
local candidate, ttl, channel, text, watched, known, over = unpack(ARGV)
local s = sight()
if KEYS[1] then
  local f = ask('HMGET', KEYS[1], 'n', 'e', 'run', 'r2', 'rid', 'ttl', 'seen') or {}
  n, e = count(f[1]), f[2]
  -- PEXPIRE also works when memory is short, so readers can go on.
  local kept = redis.pcall('PEXPIRE', KEYS[1], lasting(ttl))
  local refused = type(kept) == 'table' and kept.err
  if refused and refused:find('READONLY', 1, true) then return kept end
  local same = n and epochIn(e) and f[3] == s.run and (s.r2 == '' or s.r2 == f[4]) and n >= tonumber(known)
    and whole(n) ~= over
  if same and s.r2 == '' and s.rid ~= f[5] and watched ~= f[5] then same = now() - (count(f[7]) or 0) < ${String(quietMs)} end
  if not same then
    if refused then return kept end
    renew(s, candidate, ttl, tonumber(known) + 1)
  elseif not refused then
    redis.call('HSET', KEYS[1], 'rid', s.rid, 'r2', s.r2, 'seen', whole(now()), 'ttl', math.min(count(f[6]) or ttl, ttl))
  end
end
for at = 2, #KEYS do
  if (ask('HMGET', KEYS[at], 'e') or {})[1] == ARGV[6 + at] then redis.call('HDEL', KEYS[at], 'r') end
end
if text ~= '' then redis.call('PUBLISH', channel, text) end
return { n or 0, e or '', s.rid, s.run .. ' ' .. s.r2 }
`);

/** What the life script learned about a server. */
export interface LifeAnswer {
  /** Number of the store's life; 0 if no record was requested. */
  readonly life: number;
  readonly replid: string;
  readonly sight: string;
}

export function lifeAnswer(answer: unknown): LifeAnswer {
  const [life, , replid, sight] = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (typeof life !== 'number') throw new Error('The life record in Redis has an unexpected format.');
  return { life, replid: String(replid), sight: String(sight) };
}

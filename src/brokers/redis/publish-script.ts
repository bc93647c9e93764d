import type { Published, PublishOptions } from '../../core/ports/broker.js';
import { latestLimits } from '../../core/stream/latest.js';
import { positionOf, script } from './redis-script.js';

/** Milliseconds that the result of a publish with an idempotency key is kept. */
export const idempotencyMs = 300_000;

/** Bytes before the data in a value of the latest: when it was set, and its offset, 16 digits each. */
export const latestHeadBytes = 32;

/**
 * KEYS: meta, history, latest, order, idempotency result (only with a key).
 * ARGV: candidate, life, metadata's time, channel, command, data, key, version, history's size, time and bytes, rule of the
 * latest, its most keys and bytes, idempotency time. An empty text is "none".
 * Returns epoch, offset, and `duplicate` or `stale` where nothing was stored.
 */
export const publishScript = script(`
local candidate, life, metaTtl, channel, command, data, key = unpack(ARGV, 1, 7)
local version, size, ttl, bytes, rule, mostKeys, mostBytes, resultTtl = unpack(ARGV, 8, 15)
local meta, history, latest, order, result = unpack(KEYS)
if result then
  local first = ask('GET', result)
  if first then
    local epoch, offset = first:match('^(%S+) (%d+)$')
    if epoch and epochIn(epoch) and count(offset) then return { epoch, count(offset), 'duplicate' } end
    junk = junk + 1
  end
end
local s = open(1, candidate, life)
if version ~= '' and s.v and tonumber(version) <= s.v then return { s.e, s.o, 'stale' } end
local offset = s.o + 1
local c, f, t, m, n, b = s.c, s.f, s.t, s.m, s.n, s.b

if size ~= '' then
  local now = redis.call('TIME')
  c = c + #data
  t = tonumber(ttl)
  local id = whole(offset) .. '-' .. now[1] .. string.format('%03d', math.floor(tonumber(now[2]) / 1000))
  if key == '' then
    redis.call('XADD', history, 'MAXLEN', '=', size, id, 'd', data, 'c', whole(c))
  else
    redis.call('XADD', history, 'MAXLEN', '=', size, id, 'd', data, 'c', whole(c), 'k', key)
  end
  half = true
  while c - f > tonumber(bytes) do
    local oldest = redis.call('XRANGE', history, '-', '+', 'COUNT', 1)[1]
    local upTo = tonumber(oldest[2][4])
    local before = upTo - #oldest[2][2]
    if f < before then
      f = before
    else
      redis.call('XDEL', history, oldest[1])
      f = upTo
    end
  end
  redis.call('PEXPIRE', history, ttl)
end

if rule ~= '' then
  if m ~= rule then
    redis.call('UNLINK', latest, order)
    m, n, b = rule, 0, 0
  end
  n = n + 1
  local value = string.format('%016.0f%016.0f', n, offset) .. data
  if rule == 'last' then
    redis.call('HSET', latest, 'd', value)
    if key == '' then redis.call('HDEL', latest, 'k') else redis.call('HSET', latest, 'k', key) end
    redis.call('PEXPIRE', latest, metaTtl)
  elseif key ~= '' then
    b = b + #data - math.max(0, redis.call('HSTRLEN', latest, key) - ${String(latestHeadBytes)})
    redis.call('HSET', latest, key, value)
    redis.call('ZADD', order, whole(n), key)
    local count = redis.call('ZCARD', order)
    while count > tonumber(mostKeys) or (b > tonumber(mostBytes) and count > 1) do
      local silent = redis.call('ZPOPMIN', order)[1]
      b = b - math.max(0, redis.call('HSTRLEN', latest, silent) - ${String(latestHeadBytes)})
      redis.call('HDEL', latest, silent)
      count = count - 1
    end
    redis.call('PEXPIRE', latest, metaTtl)
    redis.call('PEXPIRE', order, metaTtl)
  end
end

redis.call('HSET', meta, 'o', whole(offset), 'c', whole(c), 'f', whole(f), 't', whole(t), 'm', m, 'n', whole(n), 'b', whole(math.max(0, b)))
half = false
redis.call('PEXPIRE', meta, math.max(tonumber(metaTtl), t))
local keyBytes = key == '' and '-' or #key
redis.call(command, channel, '1 ' .. s.e .. ' ' .. whole(offset) .. ' ' .. keyBytes .. ' ' .. key .. data)
-- What says that it was done comes last: Redis does not take it back where something fails.
if version ~= '' then redis.call('HSET', meta, 'v', version) end
if result then redis.call('SET', result, s.e .. ' ' .. whole(offset), 'PX', resultTtl) end
return { s.e, offset }
`);

/** Where a publication goes beside its topic's keys. */
export interface PublishPlace {
  readonly candidate: string;
  readonly life: string;
  readonly metadataTtlMs: number;
  readonly channel: string;
  readonly command: 'PUBLISH' | 'SPUBLISH';
}

/** The arguments of the publish script, in its order. */
export function publishArguments(data: string, options: PublishOptions, place: PublishPlace): string[] {
  const { key = '', history, latest = '', version } = options;
  const keeps = history !== undefined && history.size > 0;
  return [
    place.candidate,
    place.life,
    String(place.metadataTtlMs),
    place.channel,
    place.command,
    data,
    key,
    version === undefined ? '' : String(version),
    ...(keeps ? [history.size, history.ttlMs, history.maxBytes].map(String) : ['', '', '']),
    latest,
    String(latestLimits.keys),
    String(latestLimits.bytes),
    String(idempotencyMs),
  ];
}

/** @throws Error for an answer that is none of the script's */
export function published(answer: unknown): Published {
  const [epoch, offset, suppressed] = Array.isArray(answer) ? (answer as unknown[]) : [];
  const position = positionOf(epoch, offset);
  if (suppressed !== 'duplicate' && suppressed !== 'stale') return position;
  return { ...position, suppressed };
}

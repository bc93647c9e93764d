import { countLua, lifeLua, topicLua } from './life-lua.js';
import { storedRemoval } from '../stored-publication.js';
import { hotScript } from './redis-script.js';

/**
 * Bytes before the data in a stored latest value: the time it was set and its offset, 16 digits
 * each. With `last-per-key` the time is in microseconds since 1970 and strictly increasing; earlier
 * versions counted from 1.
 */
export const latestHeadBytes = 32;

/**
 * KEYS: life record and meta; then, where used, history, latest, order, the two version hashes and
 * the idempotency result.
 * ARGV: the three that all scripts share; channel, command, data, key, version; the history's size,
 * time and bytes; the rule of the latest, its maximum keys and bytes; the idempotency time; the
 * highest epoch and offset that the instance has seen; the maximum versions in one hash. An empty
 * text means "none".
 * Returns the epoch and offset, with `duplicate` or `stale` if nothing was stored; or `BEHIND` and
 * the life if the store went back behind the position that was seen. The first write is always one
 * that Redis refuses when it is out of memory.
 */
export const publishScript = hotScript(`
${countLua}
local life, candidate, metaTtl, channel, command, data, key, version, size = unpack(ARGV, 1, 9)
local ttl, bytes, rule, maxKeys, maxBytes, resultTtl, seenEpoch, seenOffset, maxVersions = unpack(ARGV, 10, 18)
local meta, at = KEYS[2], 2
local history, latest, order
if size ~= '' then
  at = at + 1
  history = KEYS[at]
end
if rule == 'last' or (rule ~= '' and key ~= '') then
  at = at + 1
  latest = KEYS[at]
  if rule ~= 'last' then
    at = at + 1
    order = KEYS[at]
  end
end
local versions, versionsBefore
if version ~= '' and key ~= '' then
  versions, versionsBefore = KEYS[at + 1], KEYS[at + 2]
  at = at + 2
end
local result = KEYS[at + 1]

-- A node of a cluster: what was seen of it stands for the life in whose record it stands.
if #life > 16 then
  local r = redis.pcall('HMGET', KEYS[1], 'n', 'run', 'r2')
  if r[2] and r[3] and life == r[2] .. ' ' .. r[3] then life = r[1] or '' end
end
local r = redis.pcall('HMGET', meta, 'e', 'r', 'o', 'v', 'c', 'f', 't', 'm', 'n', 'b', 'k', 'h', 'w', 'x')
local epoch, v, m, usesHistory, lost = r[1], tonumber(r[4]), r[8], r[12] == '1', false
local generation, versionCount, foreignVersions = r[13], count(r[14]) or 0, false
if versions then
  v = nil
  if generation == '2' then versions, versionsBefore = versionsBefore, versions end
  if generation then
    local recent, before = redis.pcall('HMGET', versions, key), redis.pcall('HMGET', versionsBefore, key)
    foreignVersions = recent.err or before.err
    v = tonumber(recent[1] or before[1])
  end
end
local o, c, f, t = count(r[3]), count(r[5]), count(r[6]), count(r[7])
local heard, b, k = count(r[9]), count(r[10]), count(r[11])
local isOpen = r[2] == life and epoch and m and o and c and f and t and heard and b and k
if not isOpen or #epoch == 0 or #epoch > 64 or epoch:find('[^!-~]') or (seenEpoch == epoch and tonumber(seenOffset) > o)
  or (version ~= '' and v and tonumber(version) <= v) or (result and redis.pcall('GET', result)) then
  ${lifeLua}${topicLua}
  n = tonumber(ARGV[1])
  local s, gone = look(meta), false
  if s.is == 'untouched' then
    gone = doubtful(metaTtl)
    s.e = e
  end
  lost = s.is == 'lost'
  if seenEpoch == s.e and tonumber(seenOffset) > s.o and not lost and not gone then return { 'BEHIND', n } end
  local stored = result and ask('GET', result)
  if stored then
    local itsEpoch, its = stored:match('^(%S+) (%d+)$')
    if not epochIn(itsEpoch) or not count(its) then junk = junk + 1
    elseif within(s, meta, itsEpoch, count(its)) then return { itsEpoch, count(its), 'duplicate' } end
  end
  if not versions then v = s.v end
  if version ~= '' and v and tonumber(version) <= v then return { s.e, s.o, 'stale' } end
  if s.is ~= 'open' then
    if lost or gone then s.e = candidate end
    if s.foreign then redis.call('UNLINK', meta) end
    if s.is == 'old' then
      redis.call('HSET', meta, 'e', s.e, 'r', whole(n), 'p', lineage(s, meta))
    else
      redis.call('HSET', meta, 'e', s.e, 'r', whole(n), 'o', '0', 'p', '', 'c', '0', 'f', '0', 't', '0', 'h', '0', 'm', '',
        'n', '0', 'b', '0', 'k', '0')
    end
    redis.call('PEXPIRE', KEYS[1], lasting(metaTtl))
  end
  epoch, o, c, f, t, m, heard, b, k, usesHistory = s.e, s.o, s.c, s.f, s.t, s.m, s.n, s.b, s.k, s.h
end
-- Whether what stands under keys that were not in use is not ours.
local unused = m == '' and not lost
local time = (history or latest) and redis.call('TIME')
local offset = o + 1
local place = string.format('%.0f', offset)

if history then
  if not usesHistory then
    redis.call('HSET', meta, 'h', '1')
    if redis.call('UNLINK', history) > 0 and unused then junk = junk + 1 end
  end
  c = c + #data
  t = tonumber(ttl)
  local id = place .. '-' .. time[1] .. string.format('%03d', math.floor(time[2] / 1000))
  if key == '' then
    redis.call('XADD', history, 'MAXLEN', '=', size, id, 'd', data, 'c', c)
  else
    redis.call('XADD', history, 'MAXLEN', '=', size, id, 'd', data, 'c', c, 'k', key)
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

if rule ~= '' and m ~= rule then
  -- Without a key there is nothing to keep yet, and the keys are not named.
  m, heard, b, k = latest and rule or '', 0, 0, 0
  redis.call('HSET', meta, 'm', m, 'n', '0', 'b', '0', 'k', '0')
  if latest and redis.call('UNLINK', latest, order or latest) > 0 and unused then junk = junk + 1 end
end
if latest then
  heard = heard + 1
  if rule ~= 'last' then heard = math.max(heard, time[1] * 1000000 + time[2]) end
  local value = string.format('%016.0f%016.0f', heard, offset) .. data
  if rule == 'last' then
    again = redis.call('HSET', latest, 'd', value) + k ~= 1
    k = 1
    if key == '' then redis.call('HDEL', latest, 'k') else redis.call('HSET', latest, 'k', key) end
    redis.call('PEXPIRE', latest, metaTtl)
  elseif data == '${storedRemoval}' then
    b = math.max(0, b - math.max(0, redis.call('HSTRLEN', latest, key) - ${String(latestHeadBytes)}))
    local gone = redis.call('HDEL', latest, key)
    -- The lowest place is taken out at once.
    again = redis.call('ZADD', order, 0, key) + gone ~= 1
    again = redis.call('ZPOPMIN', order)[1] ~= key or again
    k = k - gone
    again = redis.call('ZCARD', order) ~= k or again
    redis.call('PEXPIRE', latest, metaTtl)
    redis.call('PEXPIRE', order, metaTtl)
  else
    b = b + #data - math.max(0, redis.call('HSTRLEN', latest, key) - ${String(latestHeadBytes)})
    local added = redis.call('HSET', latest, key, value)
    again = redis.call('ZADD', order, heard, key) ~= added
    k = k + added
    local kept = redis.call('ZCARD', order)
    again = again or kept ~= k
    while k > tonumber(maxKeys) or (b > tonumber(maxBytes) and k > 1) do
      local silent = redis.call('ZPOPMIN', order)[1]
      b = b - math.max(0, redis.call('HSTRLEN', latest, silent) - ${String(latestHeadBytes)})
      redis.call('HDEL', latest, silent)
      k = k - 1
    end
    b = math.max(0, b)
    redis.call('PEXPIRE', latest, metaTtl)
    redis.call('PEXPIRE', order, metaTtl)
  end
  if again then error('A part of the snapshot is gone.', 0) end
end

-- Redis writes a number with 17 digits: no count loses one.
if history and latest then
  redis.call('HSET', meta, 'o', place, 'c', c, 'f', f, 't', t, 'n', heard, 'b', b, 'k', k)
elseif history then redis.call('HSET', meta, 'o', place, 'c', c, 'f', f, 't', t)
elseif latest then redis.call('HSET', meta, 'o', place, 'n', heard, 'b', b, 'k', k)
else redis.call('HSET', meta, 'o', place) end
half = false
redis.call('PEXPIRE', meta, math.max(tonumber(metaTtl), t))
local keyBytes = key == '' and '-' or #key
redis.call(command, channel, '1 ' .. epoch .. ' ' .. place .. ' ' .. keyBytes .. ' ' .. key .. data)
-- What says that it was done comes last: Redis does not take it back where something fails.
if versions then
  if not generation or foreignVersions then
    if redis.call('UNLINK', versions, versionsBefore) > 0 and (unused or foreignVersions) then junk = junk + 1 end
    generation, versionCount = '1', 0
    versions, versionsBefore = KEYS[at - 1], KEYS[at]
  elseif versionCount >= tonumber(maxVersions) and not redis.call('HMGET', versions, key)[1] then
    redis.call('UNLINK', versionsBefore)
    generation, versionCount = generation == '1' and '2' or '1', 0
    versions, versionsBefore = versionsBefore, versions
  end
  versionCount = versionCount + redis.call('HSET', versions, key, version)
  redis.call('HSET', meta, 'w', generation, 'x', versionCount)
  redis.call('PEXPIRE', versions, metaTtl)
  redis.call('PEXPIRE', versionsBefore, metaTtl)
elseif version ~= '' then redis.call('HSET', meta, 'v', version) end
if result then redis.call('SET', result, epoch .. ' ' .. place, 'PX', resultTtl) end
return { epoch, offset }
`);

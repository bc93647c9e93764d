/** How many epochs of earlier lives, and of a topic, are remembered. */
const remembered = 10;

/** A whole number that a double represents exactly, or nil. */
export const countLua = `
local function count(text)
  local number = tonumber(text)
  if number and number >= 0 and number < 9007199254740991 and number % 1 == 0 then return number end
end
`;

/**
 * Lua for the *life record* of a store, a hash: n (number of the life, which only grows), e (epoch
 * of topics opened in it), list (number and epoch of earlier lives, newest first), and the state of
 * the server: run, r2, rid (`run_id`, `master_replid2` with its offset, `master_replid`), ev
 * (`evicted_keys`) and at (when e was made), ttl (shortest lifetime of metadata), seen (last
 * probe). The first instance that suspects a rollback of the store writes a new life; all others
 * read it.
 */
export const lifeLua = `
local n, e
local function whole(number) return string.format('%.0f', number) end
${countLua}local function epochIn(text) return text and #text > 0 and #text <= 64 and not text:find('[^!-~]') end
local function ask(...)
  local answer = redis.pcall(...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if not answer.err:find('WRONGTYPE', 1, true) then error(answer, 0) end
  junk = junk + 1
end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function evicted() return tonumber(redis.call('INFO', 'stats'):match('evicted_keys:(%d+)')) or 0 end
local function sight()
  local server, replication = redis.call('INFO', 'server'), redis.call('INFO', 'replication')
  local role = replication:match('role:([%w-]+)')
  if role ~= 'master' then error('This Redis is no master but "' .. tostring(role) .. '", which keeps no promises.', 0) end
  local r2, back = replication:match('master_replid2:(%x+)'), replication:match('second_repl_offset:(-?%d+)')
  return { run = server:match('run_id:(%x+)') or '', rid = replication:match('master_replid:(%x+)') or '',
    r2 = r2 and r2:find('[1-9a-f]') and r2 .. ':' .. tostring(back) or '' }
end
local function first(text, words)
  local kept = {}
  for word in text:gmatch('%S+') do
    if #kept == words then break end
    kept[#kept + 1] = word
  end
  return table.concat(kept, ' ')
end
local function lasting(ttl) return math.max(2 * tonumber(ttl), 86400000) end
local function renew(s, candidate, ttl, least)
  local f = ask('HMGET', KEYS[1], 'n', 'e', 'list')
  if not f then
    redis.call('UNLINK', KEYS[1])
    f = {}
  end
  local last, at, past = count(f[1]), now(), f[3] or ''
  if last and epochIn(f[2]) then past = whole(last) .. ' ' .. f[2] .. ' ' .. past end
  n, e = math.max((last or 0) + 1, at, least or 0), candidate .. '.'
  redis.call('HSET', KEYS[1], 'n', whole(n), 'e', e, 'list', first(past, ${String(2 * remembered)}), 'run', s.run, 'r2', s.r2,
    'rid', s.rid, 'ev', whole(evicted()), 'at', whole(at), 'ttl', ttl, 'seen', whole(at))
  redis.call('PEXPIRE', KEYS[1], lasting(ttl))
end
`;

/**
 * The functions of a topic script. `record` reads the life, and starts one if there is none or the
 * node differs from the one recorded. `doubtful`: whether a topic without state may have lost it by
 * eviction in this epoch; replaces an epoch so old that metadata may have expired.
 *
 * `look`: the state of a topic if opened in this life. `is`: untouched (no state), open (in this
 * life), old (stored in an earlier life, with epoch `was`), or lost (partly missing or broken, so
 * none of it counts).
 *
 * The hash: e epoch, r number of its life, o offset, v version, p lineage (earlier epochs with
 * their ends, newest first), c bytes ever appended, f bytes before the oldest kept entry or fewer,
 * t history's time, h whether it uses the history, m rule of the latest values, n count, b bytes
 * and k keys of the latest values, w which of the two version hashes is in use, x how many keys it
 * has.
 */
export const topicLua = `
local function record(sighted, candidate, ttl)
  local f
  local alone = not sighted:find(' ', 1, true)
  if alone then f = ask('HMGET', KEYS[1], 'n', 'e') else f = ask('HMGET', KEYS[1], 'n', 'e', 'run', 'r2') end
  if f then n, e = count(f[1]), f[2] end
  local there = n and epochIn(e)
  if there and (alone or sighted == f[3] .. ' ' .. f[4]) then return end
  local s = sight()
  if there and s.run == f[3] and (s.r2 == '' or s.r2 == f[4]) then return end
  renew(s, candidate, ttl)
end
local function look(meta)
  local f = ask('HMGET', meta, 'e', 'r', 'o', 'v', 'c', 'f', 't', 'm', 'n', 'b', 'k', 'h')
  if not e and not (f and n and count(f[2]) == n and epochIn(f[1])) then record(ARGV[1], ARGV[2], ARGV[3]) end
  if f and not f[1] and not f[2] and not f[3] then
    return { is = 'untouched', e = e, o = 0, c = 0, f = 0, t = 0, m = '', n = 0, b = 0, k = 0 }
  end
  local foreign = not f
  f = f or {}
  local s = { e = f[1], o = count(f[3]), v = tonumber(f[4]), c = count(f[5]), f = count(f[6]), t = count(f[7]), m = f[8],
    n = count(f[9]), b = count(f[10]), k = count(f[11]), h = f[12] == '1' }
  local r, fine = count(f[2]), epochIn(s.e)
  if fine and r and s.o and s.c and s.f and s.t and s.m and s.n and s.b and s.k then
    if r == n then
      s.is = 'open'
      return s
    end
    -- The life record was lost, and returned with a clock that had been set back.
    if r > n then renew(sight(), ARGV[2], ARGV[3], r + 1) end
    s.is, s.was, s.r, s.e, s.meta = 'old', s.e, r, e, meta
    return s
  end
  if not e then record(ARGV[1], ARGV[2], ARGV[3]) end
  if f[2] or not fine then junk = junk + (foreign and 0 or 1) end
  return { is = 'lost', foreign = foreign, e = (fine and s.e or e) .. '~', o = 0, v = s.v, c = 0, f = 0, t = 0, m = '',
    n = 0, b = 0, k = 0 }
end
local function lineage(s, meta)
  local parts = {}
  if s.is == 'old' then
    for number, epoch in (ask('HMGET', KEYS[1], 'list')[1] or ''):gmatch('(%d+) (%S+)') do
      if tonumber(number) > s.r and tonumber(number) < n then parts[#parts + 1] = epoch .. ' ' .. whole(s.o) end
    end
    parts[#parts + 1] = s.was .. ' ' .. whole(s.o)
  end
  parts[#parts + 1] = ask('HMGET', meta, 'p')[1] or ''
  return first(table.concat(parts, ' '), ${String(2 * remembered)})
end
local function within(s, meta, epoch, offset)
  if epoch == s.e then return offset <= s.o end
  if s.is == 'untouched' or s.is == 'lost' then return false end
  for each, last in lineage(s, meta):gmatch('(%S+) (%d+)') do
    if each == epoch then return offset <= tonumber(last) end
  end
  return false
end
local function doubtful(ttl)
  local f, at = ask('HMGET', KEYS[1], 'ev', 'at', 'ttl'), now()
  local shortest = math.min(count(f[3]) or 0, tonumber(ttl))
  if at - (count(f[2]) or 0) > shortest / 2 then
    e = ARGV[2] .. '.'
    redis.call('HSET', KEYS[1], 'e', e, 'at', whole(at), 'ev', whole(evicted()), 'ttl', ttl)
    return false
  end
  if shortest < (count(f[3]) or 0) then redis.call('HSET', KEYS[1], 'ttl', ttl) end
  return evicted() ~= count(f[1])
end
`;

/** Defines `look` and loads the life. Precedes a script that needs more than `openLua` provides. */
export const libraryLua = `${lifeLua}${topicLua}record(ARGV[1], ARGV[2], ARGV[3])
`;

/**
 * The fast path of a reading script, with a single function: the record is valid and the topic is
 * open in its life (all that `isOpen` says) or untouched. `libraryLua` covers every other case.
 */
export const openLua = `
${countLua}
local sighted, record = ARGV[1], nil
if sighted:find(' ', 1, true) then
  record = redis.pcall('HMGET', KEYS[1], 'n', 'e', 'run', 'r2')
  if record[3] and record[4] and sighted ~= record[3] .. ' ' .. record[4] then record = {} end
else record = redis.pcall('HMGET', KEYS[1], 'n', 'e') end
local r = redis.pcall('HMGET', KEYS[2], 'e', 'r', 'o', 'c', 'f', 't', 'm', 'n', 'b', 'k', 'h')
local life, lifeEpoch = count(record[1]), record[2]
local topicEpoch, m, usesHistory = r[1], r[7], r[11] == '1'
local o, c, t, k = count(r[3]), count(r[4]), count(r[6]), count(r[10])
if not r.err and not topicEpoch and not r[2] and not r[3] then
  topicEpoch, o, c, t, m, k = lifeEpoch, 0, 0, 0, '', 0
elseif count(r[2]) ~= life or not (m and c and t and k and count(r[5]) and count(r[8]) and count(r[9])) then o = nil end
local isOpen = life and o and lifeEpoch and topicEpoch and #lifeEpoch > 0 and #lifeEpoch <= 64
  and not lifeEpoch:find('[^!-~]') and #topicEpoch > 0 and #topicEpoch <= 64 and not topicEpoch:find('[^!-~]')
`;

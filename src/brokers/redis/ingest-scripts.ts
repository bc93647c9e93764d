/**
 * KEYS: lease. ARGV: token, an earlier token of the same reader, milliseconds. Returns 0, or the
 * milliseconds left of another reader's lease.
 */
export const acquireScript = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[2] then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 0
`;

/** KEYS: lease. ARGV: token, milliseconds. Returns 1 if the lease is still held. */
export const keepScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/** KEYS: lease. ARGV: token. */
export const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

/**
 * Creates the group at the first entry. `accounted` starts with the entries that were added and
 * removed before there was a reader. Redis 6.2 does not count added entries.
 *
 * KEYS: stream, accounted. ARGV: group.
 */
export const createScript = `
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err then
  if made.err:find('BUSYGROUP', 1, true) then return 0 end
  return made
end
local info, fields = redis.pcall('XINFO', 'STREAM', KEYS[1]), {}
if not info.err then for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end end
if fields['entries-added'] then
  redis.call('SET', KEYS[2], string.format('%.0f', fields['entries-added'] - fields['length']))
else
  redis.call('DEL', KEYS[2])
end
return 1
`;

/**
 * Reads only if the caller holds the lease, in one step. A reader that stalled and lost the lease
 * gets no entries that its successor would not know of.
 *
 * KEYS: stream, lease, accounted (how many entries ever added were read or counted as lost).
 * ARGV: token, milliseconds, group, consumer, count, cursor for taking over unfinished entries (or
 * an empty text for new entries), 1 to check for lost entries if there is nothing new.
 * Returns nothing if the lease is lost; otherwise cursor, entries, count of lost entries, count of
 * unreachable entries, newest id.
 */
export const takeScript = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return {} end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if ARGV[6] ~= '' then
  local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[3], ARGV[4], '0', ARGV[6], 'COUNT', ARGV[5])
  return { claimed[1], claimed[2], claimed[3] and #claimed[3] or 0 }
end
local read = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'STREAMS', KEYS[1], '>')
local entries = read and read[1][2] or {}
local accounted = tonumber(redis.call('GET', KEYS[3]) or '')
local function account(count) redis.call('SET', KEYS[3], string.format('%.0f', count)) end
if #entries > 0 then
  if accounted then account(accounted + #entries) end
  return { '0-0', entries }
end
if ARGV[7] ~= '1' then return { '0-0', entries } end
-- Every entry was delivered. A user without permission for these commands gets no counts.
local info, pending, fields = redis.pcall('XINFO', 'STREAM', KEYS[1]), redis.pcall('XPENDING', KEYS[1], ARGV[3]), {}
if info.err or pending.err then return { '0-0', entries } end
for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
local added, lost = fields['entries-added'], 0
if added then
  lost = accounted and math.max(0, added - accounted) or 0
  if accounted ~= added then account(added) end
end
return { '0-0', entries, lost, math.max(0, fields['length'] - pending[1]), fields['last-generated-id'] }
`;

/** KEYS: lease. ARGV: token, an earlier token of the same reader, milliseconds. Returns 0, or how long another has it. */
export const acquireScript = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[2] then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 0
`;

/** KEYS: lease. ARGV: token, milliseconds. Returns 1 where it was still ours. */
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
 * Reads only for who has the lease, in one step: a reader that stood still and has lost it gets nothing into its hands that
 * the next one would not know of.
 *
 * KEYS: stream, lease. ARGV: token, milliseconds, group, consumer, count, and where to go on taking over what earlier
 * readers did not finish, or an empty text for what is new. Returns nothing where the lease is lost; else where to go on,
 * and the entries.
 */
export const takeScript = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return {} end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if ARGV[6] ~= '' then
  local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[3], ARGV[4], '0', ARGV[6], 'COUNT', ARGV[5])
  return { claimed[1], claimed[2] }
end
local read = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'STREAMS', KEYS[1], '>')
return { '0-0', read and read[1][2] or {} }
`;

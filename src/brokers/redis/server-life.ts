/**
 * Names a life of a server, from what its `INFO` says: streams go on under their epochs only as long as it stays the same.
 * A restarted server, and a replica that was promoted, may have lost what had been acknowledged and would give the same
 * offsets a second time, so each is a life of its own (`run_id`). With an append-only file a restart keeps what was written
 * before the process ended, and all lives are one, until a replica is promoted (`master_replid2` is then set).
 */
export function lifeOf(info: string): string {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1];
  const promoted = /[1-9a-f]/.test(field('master_replid2') ?? '');
  if (field('aof_enabled') === '1' && !promoted) return 'aof';
  return field('run_id') ?? 'unknown';
}

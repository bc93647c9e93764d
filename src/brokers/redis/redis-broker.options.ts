import type { RedisClientOptions } from '@redis/client';
import { joinAddress } from './cluster-slots.js';
import { isSentinelUrl, readRedisUrl, readSentinelUrl, type RedisAddress } from './redis-address.js';
import type { EngineOptions } from './redis-engine.options.js';
import type { SentinelOptions } from './redis-sentinels.js';

/** Options of `RedisBroker`. Everything has a default. */
export interface RedisBrokerOptions {
  /**
   * `redis://` or, with TLS, `rediss://`, then `[user:password@]host[:port][/database]`. Several are
   * asked in turn until one answers that is no replica: nodes of one cluster, which says by itself that it is one, or a
   * server and its replicas. Or `redis[s]+sentinel://[user:password@]host:26379,host:26379/master[/database]`: all sentinels,
   * which are asked for the master; user and password are the servers'.
   * @default 'redis://127.0.0.1:6379'
   */
  readonly url?: string | readonly string[];
  /** Options of node-redis' client, for what an address cannot say: `{ socket: { tls: true, ca } }`. */
  readonly client?: RedisClientOptions;
  /**
   * The same for the connections to the sentinels, which have users and passwords of their own:
   * `{ password }`. @default no password; the socket's options as in `client`
   */
  readonly sentinelClient?: RedisClientOptions;
  /** What all keys and channels begin with; the same for all instances, another one for another application. @default 'live:' */
  readonly prefix?: string;
  /** Milliseconds that the position of a topic is remembered after the last publication. @default 2592000000 (30 days) */
  readonly metadataTtlMs?: number;
  /** Milliseconds for one call; what became of it then, nobody knows. @default 3000 */
  readonly callTimeoutMs?: number;
  /** Milliseconds for opening the connections, with a third of it for each handshake of TCP and TLS. @default 6000 */
  readonly openTimeoutMs?: number;
  /** Milliseconds between two probes of the connections. @default 2000 */
  readonly probeIntervalMs?: number;
  /** Milliseconds for a probe to come back. @default 2000 */
  readonly probeTimeoutMs?: number;
  /** Milliseconds that a subscription stays in Redis after the last one here has left the topic. @default 2000 */
  readonly lingerMs?: number;
  /** Largest publication, in bytes of JSON text; a larger one is refused, and one that comes from elsewhere dropped. @default 1048576 */
  readonly maxPublicationBytes?: number;
  /** Calls that may wait for an answer; the next one is refused at once. @default 10000 */
  readonly maxWaitingCalls?: number;
  /** Bytes of them. @default 67108864 */
  readonly maxWaitingBytes?: number;
  /** Told what goes wrong with the connection, in words without a secret. @default nobody is told but by `available` */
  readonly onError?: (doing: string, error: unknown) => void;
}

export type ResolvedRedisOptions = Required<Omit<RedisBrokerOptions, 'url' | 'client' | 'sentinelClient'>> &
  Pick<EngineOptions, 'seeds' | 'sentinel' | 'database' | 'clientOf'>;

const numbers = {
  metadataTtlMs: 2_592_000_000,
  callTimeoutMs: 3_000,
  openTimeoutMs: 6_000,
  probeIntervalMs: 2_000,
  probeTimeoutMs: 2_000,
  lingerMs: 2_000,
  maxPublicationBytes: 1_048_576,
  maxWaitingCalls: 10_000,
  maxWaitingBytes: 67_108_864,
} as const;

/** @throws Error that names the option, and never shows an address */
export function resolveRedisOptions(options: RedisBrokerOptions): ResolvedRedisOptions {
  const entries = Object.entries(numbers).map(([name, fallback]) => {
    const value = options[name as keyof typeof numbers] ?? fallback;
    if (!Number.isSafeInteger(value) || value < 1)
      throw new Error(`RedisBroker: "${name}" must be a whole number from 1.`);
    return [name, value] as const;
  });
  const { prefix = 'live:', onError = () => {} } = options;
  const given = Object.fromEntries(entries) as Record<keyof typeof numbers, number>;
  return { ...given, prefix, onError, ...connection(options, given) };
}

type Times = Pick<
  ResolvedRedisOptions,
  'openTimeoutMs' | 'probeIntervalMs' | 'probeTimeoutMs' | 'maxWaitingCalls'
>;

function connection(
  { url, client = {}, sentinelClient = {} }: RedisBrokerOptions,
  times: Times,
): Pick<EngineOptions, 'seeds' | 'sentinel' | 'database' | 'clientOf'> {
  const urls = url === undefined ? [] : [url].flat();
  const [only = ''] = urls.filter(isSentinelUrl);
  const sentinels = only === '' ? undefined : readSentinelUrl(only);
  if (sentinels !== undefined && urls.length > 1)
    throw new Error('RedisBroker: "url" is one address where it names sentinels, with all of them in it.');
  const socket = (client.socket ?? {}) as { host?: string; port?: number; tls?: boolean };
  const read = sentinels === undefined ? [...urls].map((each) => readRedisUrl(each)) : [];
  const addresses = read.length > 0 ? read : [addressOf(client, socket)];
  const server = sentinels?.server ?? addresses[0] ?? addressOf(client, socket);
  const { tls, username, password, database } = server;
  const own = {
    ...client,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    database,
  };
  return {
    seeds: addresses.map(({ host, port }) => joinAddress(host, port)),
    sentinel: sentinels && {
      addresses: sentinels.sentinels.map(({ host, port }) => joinAddress(host, port)),
      master: sentinels.master,
      clientOf: sentinelClientOf({ socket, ...sentinelClient } as RedisClientOptions, tls, times),
    },
    database,
    clientOf: (host, port) => clientOptions(own, { host, port, tls }, times),
  };
}

/** All are waited for, so each has less time than a server. They are asked with each probe, so that one that is silent is dead. */
function sentinelClientOf(
  given: RedisClientOptions,
  tls: boolean,
  times: Times,
): SentinelOptions['clientOf'] {
  const openTimeoutMs = times.openTimeoutMs / 2;
  const socketTimeout = times.probeIntervalMs + Math.ceil(openTimeoutMs / 3);
  const options = { ...given, socket: { ...given.socket, socketTimeout } } as RedisClientOptions;
  return (host, port) => clientOptions(options, { host, port, tls }, { ...times, openTimeoutMs });
}

function clientOptions(
  own: RedisClientOptions,
  { host, port, tls }: Pick<RedisAddress, 'host' | 'port' | 'tls'>,
  { openTimeoutMs, maxWaitingCalls }: Times,
): RedisClientOptions {
  return {
    name: 'nestjs-live',
    disableClientInfo: true,
    ...own,
    socket: {
      ...own.socket,
      host,
      port,
      ...(tls && { tls: true }),
      connectTimeout: Math.ceil(openTimeoutMs / 3),
      // A connection lives once: whoever opens the next one must know what was missed between the two.
      reconnectStrategy: false,
    } as NonNullable<RedisClientOptions['socket']>,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxWaitingCalls + 1_000,
    // Calls have their deadline here, also after they were written; node-redis' own costs an abort signal for each.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
  };
}

function addressOf(
  { username, password, database = 0 }: RedisClientOptions,
  { host = '127.0.0.1', port = 6379, tls = false }: { host?: string; port?: number; tls?: boolean },
): RedisAddress {
  return {
    host,
    port,
    tls,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    database,
  };
}

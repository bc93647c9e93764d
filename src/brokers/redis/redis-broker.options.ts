import type { RedisClientOptions } from '@redis/client';
import type { Names } from '../../core/ports/option-names.js';
import { onlyKnown } from '../known-options.js';
import { joinAddress } from './cluster-slots.js';
import { isSentinelUrl, readRedisUrl, readSentinelUrl, type RedisAddress } from './redis-address.js';
import type { EngineOptions } from './redis-engine.options.js';
import type { SentinelOptions } from './redis-sentinels.js';

/** Options of `RedisBroker`. All have defaults. */
export interface RedisBrokerOptions {
  /**
   * `redis://` or, with TLS, `rediss://`, then `[user:password@]host[:port][/database]`. Several
   * URLs are tried in turn until a server answers that is not a replica: nodes of one cluster,
   * which is detected, or a server and its replicas. Or
   * `redis[s]+sentinel://[user:password@]host:26379,host:26379/master[/database]` with all
   * sentinels; the credentials are the servers'.
   *
   * @default 'redis://127.0.0.1:6379'
   */
  readonly url?: string | readonly string[];
  /**
   * Client options of node-redis for what a URL cannot express, such as
   * `{ socket: { tls: true, ca } }`.
   */
  readonly client?: RedisClientOptions;
  /**
   * The same for the connections to the sentinels, which have their own credentials:
   * `{ password }`.
   *
   * @default no password; the socket options of `client`
   */
  readonly sentinelClient?: RedisClientOptions;
  /**
   * Prefix of all keys and channels. The same for all instances; another one for another
   * application.
   *
   * @default 'live:'
   */
  readonly prefix?: string;
  /**
   * Milliseconds that a topic's position is remembered after its last publication.
   *
   * @default 2592000000 (30 days)
   */
  readonly metadataTtlMs?: number;
  /** Milliseconds for one call. A call that timed out may still take effect. @default 3000 */
  readonly callTimeoutMs?: number;
  /**
   * Milliseconds for opening the connections; each TCP or TLS handshake gets a third.
   *
   * @default 6000
   */
  readonly openTimeoutMs?: number;
  /** Milliseconds between probes of the connections. @default 2000 */
  readonly probeIntervalMs?: number;
  /** Milliseconds for a probe to return. @default 2000 */
  readonly probeTimeoutMs?: number;
  /**
   * Milliseconds that a subscription stays in Redis after the last local subscriber has left.
   *
   * @default 2000
   */
  readonly lingerMs?: number;
  /**
   * Largest publication, in bytes of JSON text. A larger one is refused; if another instance sent
   * it, it is dropped.
   *
   * @default 1048576
   */
  readonly maxPublicationBytes?: number;
  /** Calls that may wait for an answer; further ones are refused at once. @default 10000 */
  readonly maxWaitingCalls?: number;
  /** Bytes of the waiting calls. @default 67108864 */
  readonly maxWaitingBytes?: number;
  /**
   * Called with each problem of the connection, in words without secrets.
   *
   * @default none; only `available` shows the outage
   */
  readonly onError?: (doing: string, error: unknown) => void;
}

export type ResolvedRedisOptions = Required<Omit<RedisBrokerOptions, 'url' | 'client' | 'sentinelClient'>> &
  Pick<EngineOptions, 'seeds' | 'sentinel' | 'database' | 'clientOf'>;

const optionNames: Names<RedisBrokerOptions> = {
  url: true,
  client: true,
  sentinelClient: true,
  prefix: true,
  metadataTtlMs: true,
  callTimeoutMs: true,
  openTimeoutMs: true,
  probeIntervalMs: true,
  probeTimeoutMs: true,
  lingerMs: true,
  maxPublicationBytes: true,
  maxWaitingCalls: true,
  maxWaitingBytes: true,
  onError: true,
};

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

/** @throws Error that names the option, and never shows a URL */
export function resolveRedisOptions(options: RedisBrokerOptions): ResolvedRedisOptions {
  onlyKnown('RedisBroker', options, optionNames);
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
    throw new Error('RedisBroker: "url" must be a single URL with all sentinels in it.');
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

/**
 * Opening waits for all sentinels, so each gets less time than a server. Each probe queries them,
 * so one that stays silent is dead.
 */
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
      // Connections are opened by `RedisConnection`, which must know what was missed in between.
      reconnectStrategy: false,
    } as NonNullable<RedisClientOptions['socket']>,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxWaitingCalls + 1_000,
    // Calls have deadlines of their own, which also run after the write. The timeout of node-redis
    // costs an abort signal per call.
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

import type { RedisClientOptions } from '@redis/client';
import { joinAddress } from './cluster-slots.js';
import type { EngineOptions } from './redis-engine.js';
import { readRedisUrl, type RedisAddress } from './redis-address.js';

/** Options of `RedisBroker`. Everything has a default. */
export interface RedisBrokerOptions {
  /**
   * `redis://` or, with TLS, `rediss://`, then `[user:password@]host[:port][/database]`. Several are
   * asked in turn until one answers that is no replica: nodes of one cluster, which says by itself that it is one, or a
   * server and its replicas.
   * @default 'redis://127.0.0.1:6379'
   */
  readonly url?: string | readonly string[];
  /** Options of node-redis' client, for what an address cannot say: `{ socket: { tls: true, ca } }`. */
  readonly client?: RedisClientOptions;
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

export type ResolvedRedisOptions = Required<Omit<RedisBrokerOptions, 'url' | 'client'>> &
  Pick<EngineOptions, 'seeds' | 'database' | 'clientOf'>;

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

function connection(
  { url, client = {} }: RedisBrokerOptions,
  { openTimeoutMs, maxWaitingCalls }: Pick<ResolvedRedisOptions, 'openTimeoutMs' | 'maxWaitingCalls'>,
): Pick<EngineOptions, 'seeds' | 'database' | 'clientOf'> {
  const urls = url === undefined ? [] : [url].flat();
  const read = [...urls].map(readRedisUrl);
  const socket = (client.socket ?? {}) as { host?: string; port?: number; tls?: boolean };
  const addresses = read.length > 0 ? read : [addressOf(client, socket)];
  const [{ tls, username, password, database } = addressOf(client, socket)] = addresses;
  return {
    seeds: addresses.map(({ host, port }) => joinAddress(host, port)),
    database,
    clientOf: (host, port) => ({
      name: 'nestjs-live',
      disableClientInfo: true,
      ...client,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      database,
      socket: {
        ...socket,
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
    }),
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

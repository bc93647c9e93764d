import type { RedisClientOptions } from '@redis/client';
import type { JsonText } from '../../core/frame/json-text.js';
import type { IngestOptions } from './ingest-entry.js';
import { resolveRedisOptions } from './redis-broker.options.js';
import { RedisKeys } from './redis-keys.js';
import type { SentinelOptions } from './redis-sentinels.js';

/**
 * Where entries go: `LiveService.publish` fits, and publishes the data as it is written. `data.value` is what it says; a
 * removal, with `options.remove`, has no data.
 */
export type IngestPublish = (
  topic: string,
  data: JsonText | undefined,
  options: IngestOptions,
) => Promise<{ readonly suppressed?: 'duplicate' | 'stale' }>;

/** Options of `RedisIngestion`. Only `publish` has no default. */
export interface RedisIngestionOptions {
  /** Publishes; what it rejects with `unavailable` is tried again, any other `LiveError` makes a dead letter. */
  readonly publish: IngestPublish;
  /** As for `RedisBroker`, also by sentinels: several are asked in turn until one takes writes. Not a cluster. @default 'redis://127.0.0.1:6379' */
  readonly url?: string | readonly string[];
  /** Options of node-redis' client, for what an address cannot say. */
  readonly client?: RedisClientOptions;
  /** The same for the connections to sentinels. @default no password; the socket's options as in `client` */
  readonly sentinelClient?: RedisClientOptions;
  /** The stream is `<prefix>in`, dead letters are in `<prefix>in:dead`. @default 'live:' */
  readonly prefix?: string;
  /** The consumer group on the stream. @default 'live' */
  readonly group?: string;
  /** The name that reads in it; one for all instances, because only one reads at a time. @default 'live' */
  readonly consumer?: string;
  /** Entries that are read at once. @default 100 */
  readonly batchSize?: number;
  /** Milliseconds after which another instance takes over from a reader that is not heard of. @default 5000 */
  readonly leaseMs?: number;
  /** Largest data, in bytes; a larger one becomes a dead letter. @default 1048576 */
  readonly maxPublicationBytes?: number;
  /** Dead letters that are kept, the newest. @default 1000 */
  readonly maxDeadLetters?: number;
  /** Milliseconds for one call. @default 3000 */
  readonly callTimeoutMs?: number;
  /** Milliseconds for opening the connection. @default 6000 */
  readonly openTimeoutMs?: number;
  /** Told what goes wrong with the connection or the publishing, in words without a secret. @default nobody is told */
  readonly onError?: (doing: string, error: unknown) => void;
  /** Told of each entry that has become a dead letter, and why. @default nobody is told */
  readonly onDeadLetter?: (entry: string, reason: string) => void;
}

export interface ResolvedIngestOptions extends Required<
  Omit<RedisIngestionOptions, 'url' | 'client' | 'sentinelClient' | 'prefix'>
> {
  /** `host:port`, to be tried in turn; not used with sentinels. */
  readonly seeds: readonly string[];
  readonly sentinel: SentinelOptions | undefined;
  readonly clientOf: (host: string, port: number) => RedisClientOptions;
  readonly probeIntervalMs: number;
  readonly stream: string;
}

/** @throws Error that names the option, and never shows an address */
export function resolveIngestOptions(options: RedisIngestionOptions): ResolvedIngestOptions {
  const { batchSize = 100, leaseMs = 5_000, maxDeadLetters = 1_000 } = options;
  for (const [name, value] of Object.entries({ batchSize, leaseMs, maxDeadLetters }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new Error(`RedisIngestion: "${name}" must be a whole number from 1.`);
  try {
    const { seeds, sentinel, clientOf, probeIntervalMs, ...shared } = resolveRedisOptions(
      sharedWith(options),
    );
    return {
      publish: options.publish,
      group: options.group ?? 'live',
      consumer: options.consumer ?? 'live',
      onDeadLetter: options.onDeadLetter ?? (() => {}),
      batchSize,
      leaseMs,
      maxDeadLetters,
      onError: shared.onError,
      callTimeoutMs: shared.callTimeoutMs,
      openTimeoutMs: shared.openTimeoutMs,
      maxPublicationBytes: shared.maxPublicationBytes,
      seeds,
      sentinel,
      clientOf,
      probeIntervalMs,
      stream: `${new RedisKeys(shared.prefix, 0).prefix}in`,
    };
  } catch (error) {
    throw new Error((error as Error).message.replace('RedisBroker', 'RedisIngestion'), { cause: error });
  }
}

/** What is meant as it is for `RedisBroker`. */
function sharedWith(options: RedisIngestionOptions): Parameters<typeof resolveRedisOptions>[0] {
  const { url, client, sentinelClient, prefix, callTimeoutMs, openTimeoutMs, maxPublicationBytes, onError } =
    options;
  return Object.fromEntries(
    Object.entries({
      url,
      client,
      sentinelClient,
      prefix,
      callTimeoutMs,
      openTimeoutMs,
      maxPublicationBytes,
      onError,
    }).filter(([, value]) => value !== undefined),
  );
}

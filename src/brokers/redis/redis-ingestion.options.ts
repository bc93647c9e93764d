import type { RedisClientOptions } from '@redis/client';
import type { JsonText } from '../../core/frame/json-text.js';
import type { Names } from '../../core/ports/option-names.js';
import { onlyKnown } from '../known-options.js';
import type { IngestOptions } from './ingest-entry.js';
import { resolveRedisOptions } from './redis-broker.options.js';
import { RedisKeys } from './redis-keys.js';
import type { SentinelOptions } from './redis-sentinels.js';

/**
 * Publishes one entry; `LiveService.publish` fits. The data is published exactly as written, and
 * `data.value` is its parsed value. A removal has `options.remove` and no data.
 */
export type IngestPublish = (
  topic: string,
  data: JsonText | undefined,
  options: IngestOptions,
) => Promise<{
  /** Set if nothing was stored, as by `Published`. */
  readonly suppressed?: 'duplicate' | 'stale';
}>;

/** Options of `RedisIngestion`. All but `publish` have defaults. */
export interface RedisIngestionOptions {
  /**
   * Publishes an entry. A rejection with `unavailable` is retried; any other `LiveError` makes a
   * dead letter.
   */
  readonly publish: IngestPublish;
  /**
   * As for `RedisBroker`, including sentinels; several URLs are tried in turn until a server
   * accepts writes. Not a cluster.
   *
   * @default 'redis://127.0.0.1:6379'
   */
  readonly url?: string | readonly string[];
  /** Client options of node-redis for what a URL cannot express. */
  readonly client?: RedisClientOptions;
  /**
   * The same for the connections to sentinels.
   *
   * @default no password; the socket options of `client`
   */
  readonly sentinelClient?: RedisClientOptions;
  /**
   * Prefix of the stream `<prefix>in` and of the dead letters in `<prefix>in:dead`.
   *
   * @default 'live:'
   */
  readonly prefix?: string;
  /** The consumer group of the stream. @default 'live' */
  readonly group?: string;
  /**
   * The consumer's name in the group, shared by all instances, because only one reads at a time.
   *
   * @default 'live'
   */
  readonly consumer?: string;
  /** Entries per read. @default 100 */
  readonly batchSize?: number;
  /** Milliseconds after which another instance takes over from a silent reader. @default 5000 */
  readonly leaseMs?: number;
  /** Largest data, in bytes; larger data becomes a dead letter. @default 1048576 */
  readonly maxPublicationBytes?: number;
  /** Dead letters kept; beyond it the oldest are dropped. @default 1000 */
  readonly maxDeadLetters?: number;
  /** Milliseconds for one call. @default 3000 */
  readonly callTimeoutMs?: number;
  /** Milliseconds for opening the connection. @default 6000 */
  readonly openTimeoutMs?: number;
  /**
   * Called with each problem of the connection or of publishing, in words without secrets.
   *
   * @default errors are ignored
   */
  readonly onError?: (doing: string, error: unknown) => void;
  /** Called with the id of each new dead letter and the reason. @default nothing is called */
  readonly onDeadLetter?: (entry: string, reason: string) => void;
}

export interface ResolvedIngestOptions extends Required<
  Omit<RedisIngestionOptions, 'url' | 'client' | 'sentinelClient' | 'prefix'>
> {
  /** `host:port`, tried in turn; unused with sentinels. */
  readonly seeds: readonly string[];
  readonly sentinel: SentinelOptions | undefined;
  readonly clientOf: (host: string, port: number) => RedisClientOptions;
  readonly probeIntervalMs: number;
  readonly stream: string;
}

const optionNames: Names<RedisIngestionOptions> = {
  publish: true,
  url: true,
  client: true,
  sentinelClient: true,
  prefix: true,
  group: true,
  consumer: true,
  batchSize: true,
  leaseMs: true,
  maxPublicationBytes: true,
  maxDeadLetters: true,
  callTimeoutMs: true,
  openTimeoutMs: true,
  onError: true,
  onDeadLetter: true,
};

/** @throws Error that names the option, and never shows a URL */
export function resolveIngestOptions(options: RedisIngestionOptions): ResolvedIngestOptions {
  onlyKnown('RedisIngestion', options, optionNames);
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

/** The options shared with `RedisBroker`. */
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

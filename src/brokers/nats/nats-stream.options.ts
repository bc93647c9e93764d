import type { Names } from '../../core/ports/option-names.js';
import { whole, wrong } from './option-checks.js';

/**
 * The JetStream stream that holds all topics. All instances must use the same settings. The
 * defaults apply when the stream is created. In an existing stream, only settings given here are
 * changed, and `onNotice` reports each change.
 */
export interface NatsStreamOptions {
  /**
   * The stream's name. Applications with different names are separate, including their signals:
   * with a name other than the prefix's default, subjects begin with `<prefix>.@<name>`.
   *
   * @default 'LIVE', or `LIVE-<prefix>` with another prefix
   */
  readonly name?: string;
  /** Prefix of all subjects; separates applications. @default 'live' */
  readonly prefix?: string;
  /** JetStream domain of the stream, if leaf nodes have one each. @default the server's own */
  readonly domain?: string;
  /**
   * `file` survives a restart of the server; `memory` does not. Cannot be changed later.
   *
   * @default 'file'
   */
  readonly storage?: 'file' | 'memory';
  /**
   * Servers of a cluster that hold a copy, 1 to 5; more than 1 requires nats-server 2.9.21.
   * @default 1
   */
  readonly replicas?: number;
  /**
   * Milliseconds that messages are kept. A topic without publications for this long gets a new
   * epoch.
   *
   * @default 604800000 (7 days)
   */
  readonly retentionMs?: number;
  /** Messages kept per topic, at least 64; a history cannot be longer. @default 512 */
  readonly messagesPerTopic?: number;
  /**
   * Bytes of all topics together; beyond it the oldest messages are dropped.
   *
   * @default 1073741824
   */
  readonly maxBytes?: number;
}

export const streamNames: Names<NatsStreamOptions> = {
  name: true,
  prefix: true,
  domain: true,
  storage: true,
  replicas: true,
  retentionMs: true,
  messagesPerTopic: true,
  maxBytes: true,
};

/** The requested stream settings; `undefined` leaves a setting as it is. */
export interface WantedStream extends Omit<NatsStreamOptions, 'name' | 'prefix'> {
  readonly name: string;
  /** Prefix of all subjects. */
  readonly root: string;
}

/** Minimum messages per topic: two bases of the largest size take as many. */
export const minMessagesPerTopic = 64;

const streamNumbers = {
  replicas: [1, 1, 5],
  retentionMs: [604_800_000, 1_000, 3_153_600_000_000],
  messagesPerTopic: [512, minMessagesPerTopic, 100_000],
  maxBytes: [1_073_741_824, 65_536, Number.MAX_SAFE_INTEGER],
} as const;

/** Settings of a newly created stream. */
export const streamDefaults = {
  storage: 'file',
  replicas: streamNumbers.replicas[0],
  retentionMs: streamNumbers.retentionMs[0],
  messagesPerTopic: streamNumbers.messagesPerTopic[0],
  maxBytes: streamNumbers.maxBytes[0],
} as const;

/** @throws Error that names the option */
export function streamOf(options: NatsStreamOptions): WantedStream {
  const { prefix = 'live', storage, domain } = options;
  if (!/^[\w-]+(?:\.[\w-]+)*$/.test(prefix) || prefix.length > 128)
    throw wrong('stream.prefix', '1 to 128 characters of A-Za-z0-9_- in tokens joined by dots');
  const ownName = prefix === 'live' ? 'LIVE' : `LIVE-${prefix.replaceAll('.', '_')}`;
  const { name = ownName } = options;
  if (name !== ownName && !/^[\w-]{1,64}$/.test(name))
    throw wrong('stream.name', '1 to 64 characters of A-Za-z0-9_-');
  if (domain !== undefined && !/^[\w-]{1,64}$/.test(domain))
    throw wrong('stream.domain', '1 to 64 characters of A-Za-z0-9_-');
  if (storage !== undefined && storage !== 'file' && storage !== 'memory')
    throw wrong('stream.storage', "'file' or 'memory'");
  const given = Object.entries(streamNumbers).filter(
    ([key]) => options[key as keyof typeof streamNumbers] !== undefined,
  );
  return {
    name,
    root: name === ownName ? prefix : `${prefix}.@${name}`,
    ...(storage !== undefined && { storage }),
    ...(domain !== undefined && { domain }),
    ...Object.fromEntries(given.map(([key, bounds]) => [key, whole(options, key, bounds, 'stream.')])),
  };
}

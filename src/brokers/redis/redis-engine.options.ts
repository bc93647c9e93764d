import type { RedisClientOptions } from '@redis/client';
import type { RedisKeys } from './redis-keys.js';
import type { NodeEvents } from './redis-node.js';
import type { SentinelOptions } from './redis-sentinels.js';

/** What the engine needs to make a node of an address. */
export interface EngineOptions {
  /** `host:port`, asked in turn until one answers; not used with sentinels. */
  readonly seeds: readonly string[];
  /** Who is asked for the master; `undefined` where `seeds` are. */
  readonly sentinel: SentinelOptions | undefined;
  readonly database: number;
  readonly clientOf: (host: string, port: number) => RedisClientOptions;
  readonly probeChannel: string;
  readonly keys: RedisKeys;
  readonly metadataTtlMs: number;
  readonly onError: (doing: string, error: unknown) => void;
}

/** What outlives an engine. */
export interface EngineMemory {
  /** The life of the store that was seen last; 0 for none. */
  life: number;
  /** Nodes that a cluster has named: one of them may be all that is left. */
  nodes: readonly string[];
}

export interface EngineEvents extends NodeEvents {
  /** The store is in this life. */
  lived(life: number): void;
}

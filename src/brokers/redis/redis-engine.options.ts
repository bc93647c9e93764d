import type { RedisClientOptions } from '@redis/client';
import type { RedisKeys } from './redis-keys.js';
import type { NodeEvents } from './redis-node.js';
import type { SentinelOptions } from './redis-sentinels.js';

/** What the engine needs to open nodes. */
export interface EngineOptions {
  /** `host:port`, tried in turn until one answers; unused with sentinels. */
  readonly seeds: readonly string[];
  /** Sentinels that know the master; `undefined` if `seeds` are used. */
  readonly sentinel: SentinelOptions | undefined;
  readonly database: number;
  readonly clientOf: (host: string, port: number) => RedisClientOptions;
  readonly probeChannel: string;
  readonly keys: RedisKeys;
  readonly metadataTtlMs: number;
  readonly onError: (doing: string, error: unknown) => void;
}

/** State that outlives an engine. */
export interface EngineMemory {
  /** The life of the store seen last; 0 for none. */
  life: number;
  /** Nodes that a cluster has named: the seeds may all be gone later. */
  nodes: readonly string[];
  /** Largest argument that the server opened last reads. */
  maxArgumentBytes: number;
}

export interface EngineEvents extends NodeEvents {
  /** Reports the current life of the store. */
  lived(life: number): void;
}

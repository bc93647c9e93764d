/**
 * The broker on Redis, and the ingestion of a Redis Stream. Needs `@redis/client`.
 *
 * @packageDocumentation
 * @module nestjs-live/redis
 */
export { RedisBroker } from './redis-broker.js';
export type { RedisBrokerOptions } from './redis-broker.options.js';
export { type IngestStats, RedisIngestion } from './redis-ingestion.js';
export type { IngestedDataOptions, IngestedRemovalOptions, IngestOptions } from './ingest-entry.js';
export type { IngestPublish, RedisIngestionOptions } from './redis-ingestion.options.js';

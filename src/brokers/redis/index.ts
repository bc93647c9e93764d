export { RedisBroker } from './redis-broker.js';
export type { RedisBrokerOptions } from './redis-broker.options.js';
export { type IngestStats, RedisIngestion } from './redis-ingestion.js';
export type { IngestPublish, RedisIngestionOptions } from './redis-ingestion.options.js';

/**
 * The port for a broker of your own, and the broker in memory.
 *
 * @packageDocumentation
 * @module nestjs-live/broker
 */
export type {
  Broker,
  BrokerPublishOptions,
  BrokerSink,
  HistoryRules,
  LatestReading,
  LatestRule,
  Publication,
  Published,
  RecoveryLimits,
  StreamReading,
} from '../core/ports/broker.js';
export { maxSignalBytes, removalData, silentSink } from '../core/ports/broker.js';
export { PublishRefusal, type RefusalKind } from '../core/ports/publish-refusal.js';
export type { Cancel, Clock } from '../core/ports/clock.js';
export type { Position } from '../protocol/position.js';
export { MemoryBroker } from './memory/memory-broker.js';
export type { MemoryBrokerOptions } from './memory/memory-broker.options.js';

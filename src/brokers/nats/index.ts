/**
 * The broker on NATS JetStream. Needs `@nats-io/jetstream` and `@nats-io/transport-node`.
 *
 * @packageDocumentation
 * @module nestjs-live/nats
 */
export { NatsBroker } from './nats-broker.js';
export type { NatsBrokerOptions } from './nats-broker.options.js';
export type { NatsStreamOptions } from './nats-stream.options.js';

export { NatsBroker } from './nats-broker.js';
export type { NatsBrokerOptions, NatsStreamOptions } from './nats-broker.options.js';

/**
 * Code that the standalone server shares with the library. A server of your own may use it too.
 * Unlike every other entry, this one may change in any minor version.
 *
 * @packageDocumentation
 * @module nestjs-live/parts
 */
export { checkBrokerUrl } from './brokers/broker-url.js';
export { EventLoopDelay } from './nest/server/event-loop-delay.js';
export { publicKeyOf } from './nest/auth/public-key.js';
export { type FieldName, IsField, IsPresent } from './nest/gateway/dto/live-validators.js';
export { TopicPattern } from './nest/topics/topic-pattern.js';
export { checkOptions } from './nest/module/resolve-options.js';
export { elementTexts, fieldText } from './protocol/json-span.js';

/**
 * Code that the standalone server needs beside the public API: checks of settings, and helpers.
 * Your own server may use it, but unlike the other entries this one may change in any minor
 * version.
 */
export { readNatsUrl } from './brokers/nats/nats-address.js';
export { isSentinelUrl, readRedisUrl, readSentinelUrl } from './brokers/redis/redis-address.js';
export { EventLoopDelay, type EventLoopDelayReading } from './nest/server/event-loop-delay.js';
export { validateAllowedOrigins } from './nest/auth/origin.js';
export { publicKeyOf } from './nest/auth/public-key.js';
export { IsField, IsPresent } from './nest/gateway/dto/live-validators.js';
export { TopicPattern } from './nest/topics/topic-pattern.js';
export { validTrustedProxies } from './nest/module/trusted-proxies.js';
export { isDeeperThan, maxDataDepth } from './protocol/json-depth.js';
export { elementTexts, fieldText } from './protocol/json-span.js';

/**
 * What the standalone server is made of beside the public API: checks of settings, and small parts. A server of your own
 * may use them, too; unlike the other doors this one may change with any minor version.
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

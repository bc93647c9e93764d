import type { HistoryRules } from '../../core/ports/broker.js';
import type { PublishQueueLimits } from '../../core/ports/limits.js';
import { type Names, unknownName } from '../../core/ports/option-names.js';
import type { JwtConnectionOptions } from './jwt-connection.options.js';
import { unknownOption } from './live.errors.js';
import type { LiveModuleOptions } from './live.options.js';
import type { InboundRateOptions, ReplayRateOptions } from './live-rate.options.js';
import type { PersonalTopicOptions } from './personal-topic.options.js';
import type { SessionConnectionOptions } from './session-connection.options.js';

export const historyNames: Names<HistoryRules> = { size: true, ttlMs: true, maxBytes: true };

const jwtNames: Names<JwtConnectionOptions> = {
  secret: true,
  publicKey: true,
  jwksUrl: true,
  jwksMaxStaleMs: true,
  cookieName: true,
  algorithms: true,
  issuer: true,
  audience: true,
  requireExpiry: true,
  clockToleranceSeconds: true,
};
const sessionNames: Names<SessionConnectionOptions> = { url: true, timeoutMs: true, cacheMs: true };
const inboundRateNames: Names<InboundRateOptions> = {
  messagesPerSecond: true,
  messageBurst: true,
  bytesPerSecond: true,
  byteBurst: true,
};
const replayRateNames: Names<ReplayRateOptions> = { bytesPerSecond: true, byteBurst: true };
const publishQueueNames: Names<PublishQueueLimits> = { maxMessages: true, maxBytes: true, maxWaitMs: true };
const personalNames: Names<PersonalTopicOptions> = { history: true, data: true };

const moduleNames: Names<LiveModuleOptions> = {
  port: true,
  host: true,
  socketPath: true,
  path: true,
  sse: true,
  broker: true,
  sendBatch: true,
  instanceId: true,
  dangerouslyPublic: true,
  dangerouslyAllowBun: true,
  jwt: true,
  session: true,
  pingIntervalMs: true,
  pongTimeoutMs: true,
  backPressureThresholdBytes: true,
  compression: true,
  flushMs: true,
  maxQueuedMessages: true,
  maxQueueAgeMs: true,
  maxQueuedBytesTotal: true,
  drainTimeoutMs: true,
  drainWindowMs: true,
  drainNoticeMs: true,
  maxMessageBytes: true,
  maxTopicsPerConnection: true,
  maxWaitingMessages: true,
  inboundRate: true,
  replayRate: true,
  dangerouslyUnlimitedInbound: true,
  authorizationTimeoutMs: true,
  credentialGraceMs: true,
  authorizationRecheckMs: true,
  instanceTimeoutMs: true,
  snapshotTimeoutMs: true,
  maxSnapshotBytes: true,
  positionCheckIntervalMs: true,
  publishQueue: true,
  personal: true,
  globalEnhancersOnMessages: true,
  metricsPrefix: true,
  onClose: true,
  allowedOrigins: true,
  requireOrigin: true,
  dangerouslyAllowAnyOrigin: true,
  upgradeTimeoutMs: true,
  maxPendingUpgrades: true,
  maxPendingUpgradesPerAddress: true,
  maxConnections: true,
  maxConnectionsPerUser: true,
  maxConnectionsPerAddress: true,
  trustedProxies: true,
  proxyProtocol: true,
  validate: true,
};

/** Part of the same object for `forRoot`. */
const extras = { guards: true, imports: true, isGlobal: true, gateway: true };

/**
 * Checks the names of all options of the module, since one that is
 * ignored may be one that protects.
 *
 * @throws Error that names the first unknown one
 */
export function checkNames(options: LiveModuleOptions): void {
  onlyKnown('', options, { ...moduleNames, ...extras });
  const { jwt, session, inboundRate, replayRate, publishQueue, personal, compression } = options;
  onlyKnown('jwt.', jwt, jwtNames);
  onlyKnown('session.', session, sessionNames);
  onlyKnown('inboundRate.', inboundRate, inboundRateNames);
  onlyKnown('replayRate.', replayRate, replayRateNames);
  onlyKnown('publishQueue.', publishQueue, publishQueueNames);
  onlyKnown('personal.', personal, personalNames);
  onlyKnown('personal.history.', personal?.history, historyNames);
  onlyKnown('compression.', compression, { thresholdBytes: true });
}

/**
 * Refuses fields of an object that are no options. Anything but an object is left to other checks.
 *
 * @throws Error that names the first unknown one, and the known one that is most like it
 */
export function onlyKnown(
  prefix: string,
  given: unknown,
  known: Readonly<Record<string, unknown>>,
  suffix = '',
): void {
  const found = unknownName(given, known);
  if (found === undefined) return;
  const { name, meant } = found;
  throw unknownOption(`${prefix}${name}${suffix}`, meant && `${prefix}${meant}`);
}

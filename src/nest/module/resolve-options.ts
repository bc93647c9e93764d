import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { defaultLimits, type PublishQueueLimits } from '../../core/ports/limits.js';
import { validateAllowedOrigins } from '../auth/origin-option.js';
import {
  contradictoryOptions,
  noOptions,
  proxyProtocolOfNobody,
  wrongOption,
} from '../options/live.errors.js';
import type { SendBatch } from '../../core/ports/socket.js';
import { type ValidateMode, validateModes } from '../options/live-contract.options.js';
import { checkNames } from '../options/known-options.js';
import { historyOption, integerOption, kindOf, textOption } from '../options/option-checks.js';
import { resolveInboundRate } from './resolve-inbound-rate.js';
import { resolveReplayRate } from './resolve-replay-rate.js';
import { SocketBatch } from '../../ws/write-batch.js';
import { validTrustedProxies } from './trusted-proxies.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';
import { socketPathOf } from './socket-path.js';

const maxTimeMs = Number.MAX_SAFE_INTEGER;

/**
 * Checks options as `LiveModule.forRoot` does, but neither guards nor installed packages.
 *
 * @throws Error that names the first option that is wrong
 */
export function checkOptions(options: LiveModuleOptions): void {
  resolveOptions(options);
}

/** Fills in the defaults; throws an error that names the option if a value is invalid. */
export function resolveOptions(options: LiveModuleOptions): ResolvedLiveOptions {
  // A factory may return anything, for instance a part of the configuration that is not there.
  if (typeof options !== 'object' || (options as unknown) === null) throw noOptions(kindOf(options));
  checkNames(options);
  const number = (name: keyof LiveModuleOptions, fallback: number, least: number, most = maxTimeMs): number =>
    integerOption(name, options[name], { fallback, least, most });
  const limit = (name: keyof typeof defaultLimits, least: number, most = maxTimeMs): number =>
    number(name, defaultLimits[name], least, most);
  if (options.allowedOrigins !== undefined) validateAllowedOrigins(options.allowedOrigins);
  if (options.requireOrigin === true && options.dangerouslyAllowAnyOrigin === true)
    throw contradictoryOptions('requireOrigin', 'dangerouslyAllowAnyOrigin');
  const compressFromBytes = compressionOf(options);
  const maxMessageBytes = limit('maxMessageBytes', 128, 2 ** 30);
  const maxTopicsPerConnection = limit('maxTopicsPerConnection', 1);
  return {
    port: options.port === 'app' ? 'app' : number('port', 8081, 0, 65_535),
    host: textOption('host', options.host ?? '127.0.0.1', /^[\w.:-]{1,253}$/, 'an address or a host name'),
    ...(options.socketPath !== undefined && { socketPath: socketPathOf(options) }),
    instanceId: textOption(
      'instanceId',
      options.instanceId ?? randomUUID(),
      /^[\w.:-]{1,128}$/,
      '1 to 128 of A-Za-z0-9_.:-',
    ),
    metricsPrefix: textOption(
      'metricsPrefix',
      options.metricsPrefix ?? 'processor_live',
      /^[a-zA-Z_:][\w:]{0,63}$/,
      'a metric name',
    ),
    flushMs: number('flushMs', 0, 0, 10_000),
    ...(compressFromBytes !== undefined && { compressFromBytes }),
    ...(options.publishQueue !== undefined && { publishQueue: publishQueueOf(options.publishQueue) }),
    personalHistory: historyOption((field) => `personal.history.${field}`, options.personal?.history ?? {}),
    ...(options.personal?.data !== undefined && { personalData: options.personal.data }),
    validate: validateOf(options),
    drainTimeoutMs: number('drainTimeoutMs', 20_000, 0),
    drainWindowMs: number('drainWindowMs', 10_000, 0),
    drainNoticeMs: number('drainNoticeMs', 0, 0),
    upgrade: {
      path: textOption('path', options.path ?? '/live', /^(?:\/[\w.~-]+)+$|^\/$/, 'a path such as "/live"'),
      upgradeTimeoutMs: number('upgradeTimeoutMs', 5_000, 1),
      maxPendingUpgrades: number('maxPendingUpgrades', 1_000, 1),
      maxMessageBytes,
      compress: compressFromBytes !== undefined,
      maxConnections: number('maxConnections', 0, 0),
      maxConnectionsPerUser: number('maxConnectionsPerUser', 0, 0),
      maxConnectionsPerAddress: number('maxConnectionsPerAddress', 0, 0),
      maxPendingUpgradesPerAddress: number('maxPendingUpgradesPerAddress', 20, 0),
      maxPendingUpgradesPerPrivateAddress: number('maxPendingUpgradesPerAddress', 0, 0),
    },
    sse: flagOf('sse', options.sse),
    ...(options.sendBatch !== undefined && { batch: batchOf(options.sendBatch) }),
    trustedProxies: validTrustedProxies(options.trustedProxies ?? 0),
    proxyProtocol: proxyProtocolOf(options),
    limits: {
      maxMessageBytes,
      maxTopicsPerConnection,
      maxWaitingMessages: limit('maxWaitingMessages', 1),
      backPressureThresholdBytes: limit('backPressureThresholdBytes', 0),
      maxQueuedMessages: limit('maxQueuedMessages', 1),
      maxQueueAgeMs: limit('maxQueueAgeMs', 1),
      maxQueuedBytesTotal: limit('maxQueuedBytesTotal', 0),
      pingIntervalMs: limit('pingIntervalMs', 10),
      pongTimeoutMs: limit('pongTimeoutMs', 10),
      authorizationTimeoutMs: limit('authorizationTimeoutMs', 1),
      credentialGraceMs: limit('credentialGraceMs', 0),
      authorizationRecheckMs: limit('authorizationRecheckMs', 0),
      instanceTimeoutMs: limit('instanceTimeoutMs', 100),
      snapshotTimeoutMs: limit('snapshotTimeoutMs', 1),
      maxSnapshotBytes: limit('maxSnapshotBytes', 1),
      positionCheckIntervalMs: limit('positionCheckIntervalMs', 0),
      inboundRate: resolveInboundRate(options, { maxMessageBytes, maxTopicsPerConnection }),
      replayRate: resolveReplayRate(options.replayRate),
    },
  };
}

function publishQueueOf(given: Partial<PublishQueueLimits>): PublishQueueLimits {
  const number = (name: keyof PublishQueueLimits, fallback: number): number =>
    integerOption(`publishQueue.${name}`, given[name], { fallback, least: 1, most: maxTimeMs });
  return {
    maxMessages: number('maxMessages', 1_000),
    maxBytes: number('maxBytes', 1_048_576),
    maxWaitMs: number('maxWaitMs', 5_000),
  };
}

function proxyProtocolOf({ proxyProtocol = false, trustedProxies }: LiveModuleOptions): boolean {
  const isNobody = typeof trustedProxies === 'number' ? trustedProxies === 0 : !trustedProxies?.length;
  if (proxyProtocol && isNobody) throw proxyProtocolOfNobody();
  return proxyProtocol;
}

/** Only `true` opens a door: a text such as 'false' from a configuration must not. */
function flagOf(name: string, value: unknown = false): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongOption(name, value, 'true or false');
}

function batchOf(sendBatch: SendBatch): SocketBatch {
  if (typeof sendBatch === 'function')
    return new SocketBatch(sendBatch, (error) => new Logger('Live').error(error));
  throw wrongOption('sendBatch', sendBatch, 'the function of nestjs-live-native');
}

function validateOf({ validate = 'always' }: LiveModuleOptions): ValidateMode {
  if (validateModes.includes(validate)) return validate;
  throw wrongOption('validate', validate, "'always', 'development' or 'off'");
}

/** Minimum bytes of a compressed publication; `undefined` without compression. */
function compressionOf({ compression }: LiveModuleOptions): number | undefined {
  if (compression === undefined || compression === false) return undefined;
  const given = compression === true ? undefined : compression.thresholdBytes;
  return integerOption('compression.thresholdBytes', given, { fallback: 1_024, least: 0, most: maxTimeMs });
}

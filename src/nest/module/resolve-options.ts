import { randomUUID } from 'node:crypto';
import type { PublishQueueLimits } from '../../core/ports/limits.js';
import { validateAllowedOrigins } from '../auth/origin.js';
import {
  contradictoryOptions,
  proxyProtocolOfNobody,
  unixSocketWithoutAddress,
  wrongOption,
} from '../options/live.errors.js';
import { resolveInboundRate } from './resolve-inbound-rate.js';
import { resolveReplayRate } from './resolve-replay-rate.js';
import { validTrustedProxies } from './trusted-proxies.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';

const maxTimeMs = Number.MAX_SAFE_INTEGER;

/** Fills in the defaults; throws an error that names the option if a value is invalid. */
export function resolveOptions(options: LiveModuleOptions): ResolvedLiveOptions {
  const number = (
    name: keyof LiveModuleOptions,
    fallback: number,
    least: number,
    most = maxTimeMs,
  ): number => {
    const value = options[name] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw wrongOption(name, value, `an integer from ${String(least)} to ${String(most)}`);
  };
  if (options.allowedOrigins !== undefined) validateAllowedOrigins(options.allowedOrigins);
  if (options.requireOrigin === true && options.dangerouslyAllowAnyOrigin === true)
    throw contradictoryOptions('requireOrigin', 'dangerouslyAllowAnyOrigin');
  const compressFromBytes = compressionOf(options);
  const maxMessageBytes = number('maxMessageBytes', 65_536, 128, 2 ** 30);
  const maxTopicsPerConnection = number('maxTopicsPerConnection', 128, 1);
  return {
    port: options.port === 'app' ? 'app' : number('port', 8081, 0, 65_535),
    host: text('host', options.host ?? '127.0.0.1', /^[\w.:-]{1,253}$/, 'an address or a host name'),
    ...(options.socketPath !== undefined && { socketPath: socketPathOf(options) }),
    instanceId: text(
      'instanceId',
      options.instanceId ?? randomUUID(),
      /^[\w.:-]{1,128}$/,
      '1 to 128 of A-Za-z0-9_.:-',
    ),
    metricsPrefix: text(
      'metricsPrefix',
      options.metricsPrefix ?? 'processor_live',
      /^[a-zA-Z_:][\w:]{0,63}$/,
      'a metric name',
    ),
    flushMs: number('flushMs', 0, 0, 10_000),
    ...(compressFromBytes !== undefined && { compressFromBytes }),
    ...(options.publishQueue !== undefined && { publishQueue: publishQueueOf(options.publishQueue) }),
    drainTimeoutMs: number('drainTimeoutMs', 20_000, 0),
    upgrade: {
      path: text('path', options.path ?? '/live', /^(?:\/[\w.~-]+)+$|^\/$/, 'a path such as "/live"'),
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
    trustedProxies: validTrustedProxies(options.trustedProxies ?? 0),
    proxyProtocol: proxyProtocolOf(options),
    limits: {
      maxMessageBytes,
      maxTopicsPerConnection,
      maxWaitingMessages: number('maxWaitingMessages', 64, 1),
      backPressureThresholdBytes: number('backPressureThresholdBytes', 1_048_576, 0),
      maxQueuedMessages: number('maxQueuedMessages', 4_096, 1),
      maxQueueAgeMs: number('maxQueueAgeMs', 10_000, 1),
      maxQueuedBytesTotal: number('maxQueuedBytesTotal', 268_435_456, 0),
      pingIntervalMs: number('pingIntervalMs', 25_000, 10),
      pongTimeoutMs: number('pongTimeoutMs', 10_000, 10),
      authorizationTimeoutMs: number('authorizationTimeoutMs', 5_000, 1),
      credentialGraceMs: number('credentialGraceMs', 60_000, 0),
      authorizationRecheckMs: number('authorizationRecheckMs', 60_000, 0),
      instanceTimeoutMs: number('instanceTimeoutMs', 6_000, 100),
      snapshotTimeoutMs: number('snapshotTimeoutMs', 10_000, 1),
      maxSnapshotBytes: number('maxSnapshotBytes', 33_554_432, 1),
      positionCheckIntervalMs: number('positionCheckIntervalMs', 30_000, 0),
      inboundRate: resolveInboundRate(options, { maxMessageBytes, maxTopicsPerConnection }),
      replayRate: resolveReplayRate(options.replayRate),
    },
  };
}

function publishQueueOf(given: Partial<PublishQueueLimits>): PublishQueueLimits {
  const limits: PublishQueueLimits = { maxMessages: 1_000, maxBytes: 1_048_576, maxWaitMs: 5_000, ...given };
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
      throw wrongOption(`publishQueue.${name}`, value, 'an integer >= 1');
  }
  return limits;
}

function proxyProtocolOf({ proxyProtocol = false, trustedProxies }: LiveModuleOptions): boolean {
  const isNobody = typeof trustedProxies === 'number' ? trustedProxies === 0 : !trustedProxies?.length;
  if (proxyProtocol && isNobody) throw proxyProtocolOfNobody();
  return proxyProtocol;
}

/** Longer paths do not fit into the address of a Unix socket on every system. */
const maxSocketPathBytes = 103;

function socketPathOf({ socketPath, port, host, trustedProxies }: LiveModuleOptions): string {
  if (typeof trustedProxies === 'object') throw unixSocketWithoutAddress();
  if (port !== undefined || host !== undefined)
    throw contradictoryOptions('socketPath', port === undefined ? 'host' : 'port');
  const path = text('socketPath', socketPath, /^\/[^:\0]+$/, 'an absolute path without ":"');
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
  throw wrongOption('socketPath', path, `a path of at most ${String(maxSocketPathBytes)} bytes`);
}

/** Minimum bytes of a compressed publication; `undefined` without compression. */
function compressionOf({ compression }: LiveModuleOptions): number | undefined {
  if (compression === undefined || compression === false) return undefined;
  const bytes: unknown = compression === true ? 1_024 : (compression.thresholdBytes ?? 1_024);
  if (typeof bytes === 'number' && Number.isInteger(bytes) && bytes >= 0) return bytes;
  throw wrongOption('compression.thresholdBytes', bytes, 'an integer >= 0');
}

function text(name: string, value: unknown, pattern: RegExp, allowed: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw wrongOption(name, value, allowed);
}

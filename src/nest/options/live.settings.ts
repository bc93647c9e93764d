import type { LiveSchema, ValidateMode } from './live-contract.options.js';
import type { LiveSettings } from '../../core/ports/settings.js';
import type { TrustedProxies } from '../../ws/trusted-proxies.js';
import type { UpgradeOptions } from '../../ws/upgrade.js';
import type { SocketBatch } from '../../ws/write-batch.js';

/** The module's options with every default filled in. */
export interface ResolvedLiveOptions extends LiveSettings {
  readonly port: number | 'app';
  readonly host: string;
  readonly socketPath?: string;
  readonly upgrade: UpgradeOptions;
  /** Whether peers may read an event stream in place of a WebSocket. */
  readonly sse: boolean;
  readonly trustedProxies: TrustedProxies;
  readonly proxyProtocol: boolean;
  readonly drainTimeoutMs: number;
  readonly drainWindowMs: number;
  readonly drainNoticeMs: number;
  readonly metricsPrefix: string;
  readonly validate: ValidateMode;
  readonly personalData?: LiveSchema;
  readonly batch?: SocketBatch;
}

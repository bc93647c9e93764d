import type { Broker } from './ports/broker.js';
import type { Clock } from './ports/clock.js';
import type { Observer } from './ports/observer.js';
import type { Policy } from './ports/policy.js';

/** What the core needs from outside. */
export interface LivePorts {
  readonly broker: Broker;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly observer: Observer;
}

/** What the core holds its peers and providers to; the module's options have the defaults. */
export interface LiveLimits {
  readonly maxMessageBytes: number;
  readonly maxTopicsPerConnection: number;
  readonly maxWaitingMessages: number;
  readonly backPressureThresholdBytes: number;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  readonly authorizationTimeoutMs: number;
  readonly snapshotTimeoutMs: number;
}

export interface LiveSettings {
  /** Named in every welcome. */
  readonly instanceId: string;
  readonly limits: LiveLimits;
}

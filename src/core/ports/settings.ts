import type { Connection } from '../connection/connection.js';
import type { ConnectionIdentity } from './identity.js';
import type { RenewIdentity } from '../connection/renewal.js';
import type { OutboundBudget } from '../outbound/budget.js';
import type { InboundRate } from '../connection/rate-gate.js';
import type { ReplayRate } from '../connection/replay-gate.js';
import type { Broker } from './broker.js';
import type { Clock } from './clock.js';
import type { Observer } from './observer.js';
import type { Policy } from './policy.js';
import type { PublishQueueLimits } from '../publish/publish-queue.js';

/**
 * Says whose a token is that came over this connection. Rejects with a `LiveError`: `forbidden` for a bad one,
 * `unavailable` when nobody can tell.
 */
export type VerifyCredential = (token: string, connection: Connection) => Promise<ConnectionIdentity>;

/** What the core needs from outside. */
export interface LivePorts {
  readonly broker: Broker;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Absent where credentials cannot be renewed on an open connection. */
  readonly verify?: VerifyCredential;
  /** Absent where nobody can be asked for a session again. [L-7.6] */
  readonly renew?: RenewIdentity;
}

/** What the core holds its peers and providers to; the module's options have the defaults. */
export interface LiveLimits extends OutboundBudget {
  readonly maxMessageBytes: number;
  readonly maxTopicsPerConnection: number;
  readonly maxWaitingMessages: number;
  /** Absent where everybody may send as fast as they can. */
  readonly inboundRate?: InboundRate | undefined;
  /** Absent where recoveries and snapshots are not charged to who asks for them. */
  readonly replayRate?: ReplayRate | undefined;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  readonly authorizationTimeoutMs: number;
  readonly snapshotTimeoutMs: number;
  readonly maxSnapshotBytes: number;
  readonly credentialGraceMs: number;
  /** 0 for none. */
  readonly positionCheckIntervalMs: number;
  /** 0: rights are not asked for again. */
  readonly authorizationRecheckMs: number;
  readonly instanceTimeoutMs: number;
}

export interface LiveSettings {
  /** Named in every welcome. */
  readonly instanceId: string;
  readonly limits: LiveLimits;
  /** Bytes from which a publication is compressed for the peers that take it so; absent where none is. */
  readonly compressFromBytes?: number;
  /** Milliseconds that publications are gathered, for topics that do not say. @default 0 */
  readonly flushMs?: number;
  /** Absent: who publishes while the broker is away is refused at once. */
  readonly publishQueue?: PublishQueueLimits;
}

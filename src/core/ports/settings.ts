import type { Broker, HistoryRules } from './broker.js';
import type { Clock } from './clock.js';
import type { LiveConnection } from './connection.js';
import type { ConnectionIdentity } from './identity.js';
import type { LiveLimits, PublishQueueLimits } from './limits.js';
import type { Observer } from './observer.js';
import type { Policy } from './policy.js';
import type { WriteBatch } from './socket.js';

/**
 * Identifies the user of a token sent on this connection. Rejects with a `LiveError`: `forbidden`
 * for an invalid token, `unavailable` if it cannot be verified now.
 */
export type VerifyCredential = (token: string, connection: LiveConnection) => Promise<ConnectionIdentity>;

/**
 * Identifies the current user of a connection, or returns `undefined` if the session has ended.
 * Rejects if that cannot be checked now.
 */
export type RenewIdentity = (connection: LiveConnection) => Promise<ConnectionIdentity | undefined>;

/** Dependencies of the core. */
export interface LivePorts {
  readonly broker: Broker;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Absent if credentials cannot be renewed on an open connection. */
  readonly verify?: VerifyCredential;
  /** Absent if sessions cannot be checked again. [L-7.6] */
  readonly renew?: RenewIdentity;
}

export interface LiveSettings {
  /** Sent in every welcome. */
  readonly instanceId: string;
  readonly limits: LiveLimits;
  /**
   * Minimum size of a publication to compress, for peers that accept compression. Absent disables
   * it.
   */
  readonly compressFromBytes?: number;
  /** Milliseconds to gather publications of topics that do not set it. @default 0 */
  readonly flushMs?: number;
  /** How much the personal topics keep. @default defaultHistory */
  readonly personalHistory?: HistoryRules;
  /** Makes the writes of a flush. Absent: each socket makes its own. */
  readonly batch?: WriteBatch;
  /** Absent: publications are refused while the broker is unavailable. */
  readonly publishQueue?: PublishQueueLimits;
}

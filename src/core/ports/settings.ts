import type { Broker } from './broker.js';
import type { Clock } from './clock.js';
import type { LiveConnection } from './connection.js';
import type { ConnectionIdentity } from './identity.js';
import type { LiveLimits, PublishQueueLimits } from './limits.js';
import type { Observer } from './observer.js';
import type { Policy } from './policy.js';

/**
 * Says whose a token is that came over this connection. Rejects with a `LiveError`: `forbidden` for a bad one,
 * `unavailable` when nobody can tell.
 */
export type VerifyCredential = (token: string, connection: LiveConnection) => Promise<ConnectionIdentity>;

/** Says who is behind a connection now; `undefined`: nobody any more. Rejects when nobody can tell. */
export type RenewIdentity = (connection: LiveConnection) => Promise<ConnectionIdentity | undefined>;

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

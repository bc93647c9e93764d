import type { IncomingMessage } from 'node:http';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import type { PendingHandshake } from './pending-handshake.js';
import type { HandshakeResult, Refusal } from './refusal.js';
import type { ServedWebSocket } from './served-web-socket.js';

/** What the door asks, and tells. */
export interface UpgradeHooks {
  /** Whether nobody is let in any more. */
  draining(): boolean;
  /** A cheap look before anybody is asked; a refusal ends it. */
  precheck(request: IncomingMessage): Refusal | undefined;
  /** Decides who this is; throws a `Refusal`, and anything else it throws is answered 503. */
  authenticate(handshake: PendingHandshake): Promise<ConnectionIdentity>;
  /** The peer is in. Called in the same turn as the 101. */
  accepted(ws: ServedWebSocket, handshake: PendingHandshake, identity: ConnectionIdentity): void;
  /** Decided; `address` is the client's, `reason` says for the log why it was refused. */
  handshake(result: HandshakeResult, address: string, reason?: string): void;
  failed(doing: string, error: unknown): void;
}

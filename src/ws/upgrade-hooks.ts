import type { IncomingMessage } from 'node:http';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import type { Candidate, PendingHandshake } from './pending-handshake.js';
import type { HandshakeResult, Refusal } from './refusal.js';
import type { ServedWebSocket } from './ws-socket.js';

/** What `UpgradeHandler` needs from the server. */
export interface UpgradeHooks {
  /** Whether the server accepts no new connections. */
  draining(): boolean;
  /**
   * A cheap check before the guards run; a refusal ends the handshake. `opens` is false for a
   * request of an open connection.
   */
  precheck(request: IncomingMessage, opens: boolean): Refusal | undefined;
  /**
   * Identifies the client. Throws or rejects with a `Refusal` to deny; any other error is answered
   * with 503.
   */
  authenticate(candidate: Candidate): ConnectionIdentity | Promise<ConnectionIdentity>;
  /** Called in the same tick as the 101, once the peer is connected. */
  accepted(ws: ServedWebSocket, handshake: PendingHandshake, identity: ConnectionIdentity): void;
  /**
   * The handshake is over. `address` is the client's; `reason` says for the log why it was refused.
   */
  handshake(result: HandshakeResult, address: string, reason?: string): void;
  failed(doing: string, error: unknown): void;
}

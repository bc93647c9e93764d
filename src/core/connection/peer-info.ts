import type { ConnectionIdentity } from '../ports/identity.js';

/** What is known of a peer when its connection opens. */
export interface PeerInfo {
  readonly id: string;
  readonly identity: ConnectionIdentity;
  /** Address of the socket, or 'unknown'. */
  readonly remoteAddr: string;
  /** Cookie header of the handshake, for checks with the session backend. Never logged. */
  readonly cookieHeader?: string | undefined;
  /** Start of the handshake on the clock. Defaults to now. */
  readonly handshakeStartedMs?: number | undefined;
}

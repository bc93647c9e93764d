import type { ConnectionIdentity } from '../ports/identity.js';

/** What is known of a peer when its connection opens. */
export interface PeerInfo {
  readonly id: string;
  readonly identity: ConnectionIdentity;
  /** The socket's address, or 'unknown'. */
  readonly remoteAddr: string;
  /** The handshake's cookie header, for per-topic questions to the session's backend. Never logged. */
  readonly cookieHeader?: string | undefined;
  /** When the handshake began, on the clock; now by default. */
  readonly handshakeStartedMs?: number | undefined;
}

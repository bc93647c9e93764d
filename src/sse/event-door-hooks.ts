import type { IncomingMessage } from 'node:http';
import type { Session } from '../core/inbound/session.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import type { Candidate } from '../ws/pending-handshake.js';
import type { HandshakeResult } from '../ws/refusal.js';
import type { EventSocket } from './event-socket.js';

/** What the door needs from the server. */
export interface EventDoorHooks {
  /** Decides by the rules of handshakes. */
  consider(candidate: Candidate): void;
  /** Headers that let the page at this origin read answers. */
  cors(request: IncomingMessage): Readonly<Record<string, string>>;
  /** A peer has passed: makes its connection. */
  entered(socket: EventSocket, candidate: Candidate, identity: ConnectionIdentity): Session;
  handshake(result: HandshakeResult, address: string, reason?: string): void;
  /** A body is awaited from this address, until `decided`. */
  began(address: string): void;
  decided(address: string): void;
  failed(doing: string, error: unknown): void;
}

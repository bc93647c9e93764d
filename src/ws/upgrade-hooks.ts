import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ConnectionIdentity } from '../core/connection/live-user.js';
import type { HandshakeResult, Refusal } from './refusal.js';

/** What the door asks, and tells. */
export interface UpgradeHooks {
  /** Whether nobody is let in any more. */
  draining(): boolean;
  /** A cheap look before anybody is asked; a refusal ends it. */
  precheck(request: IncomingMessage): Refusal | undefined;
  /** Decides who this is; throws a `Refusal`, and anything else it throws is answered 503. `signal`: nobody waits any more. */
  authenticate(request: IncomingMessage, signal: AbortSignal): Promise<ConnectionIdentity>;
  /** The peer is in. Called in the same turn as the 101. */
  accepted(ws: WebSocket, socket: Duplex, request: IncomingMessage, identity: ConnectionIdentity): void;
  handshake(result: HandshakeResult): void;
  failed(doing: string, error: unknown): void;
}

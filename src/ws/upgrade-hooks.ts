import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ConnectionIdentity } from '../core/connection/live-user.js';
import type { HandshakeResult, Refusal } from './refusal.js';

/** Somebody who waits for the decision. */
export interface Waiting {
  /** Aborts when nobody waits any more. Made when it is first asked for: it would be a tenth of what a peer costs. */
  readonly signal: AbortSignal;
}

/** What the door asks, and tells. */
export interface UpgradeHooks {
  /** Whether nobody is let in any more. */
  draining(): boolean;
  /** A cheap look before anybody is asked; a refusal ends it. */
  precheck(request: IncomingMessage): Refusal | undefined;
  /** Decides who this is; throws a `Refusal`, and anything else it throws is answered 503. */
  authenticate(request: IncomingMessage, waiting: Waiting): Promise<ConnectionIdentity>;
  /** The peer is in. Called in the same turn as the 101. */
  accepted(ws: WebSocket, socket: Duplex, request: IncomingMessage, identity: ConnectionIdentity): void;
  handshake(result: HandshakeResult): void;
  failed(doing: string, error: unknown): void;
}

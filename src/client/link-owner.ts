import type { ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import type { Backoff } from './backoff.js';
import type { Credentials } from './credentials.js';
import type { Platform } from './platform.js';
import type { LiveStatus } from './status.js';
import type { Wire, WireEvents } from './wire.js';

/** Whom the link tells. */
export interface LinkOwner {
  /** Whether answers are awaited that would be lost by leaving now. */
  readonly busy: boolean;
  status(status: LiveStatus): void;
  up(welcome: WelcomeMessage): void;
  down(): void;
  /** Every message but those that are about the connection itself. */
  message(message: ServerMessage): void;
  report(error: unknown): void;
  nextId(): number;
}

export interface LinkParts {
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly backoff: Backoff;
  /** From the start of the handshake to the welcome. */
  readonly connectTimeoutMs: number;
  open(token: string | undefined, events: WireEvents): Wire;
}

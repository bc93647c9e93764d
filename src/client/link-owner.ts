import type { ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import type { Backoff } from './backoff.js';
import type { Credentials } from './credentials.js';
import type { Platform } from './platform.js';
import type { LiveStatus } from './status.js';
import type { Wire, WireEvents } from './wire.js';

/** Receiver of a link's events. */
export interface LinkOwner {
  /** Whether answers are pending that would be lost if the link closed now. */
  readonly busy: boolean;
  status(status: LiveStatus): void;
  up(welcome: WelcomeMessage): void;
  down(): void;
  /** Called with every message except those about the connection itself. */
  message(message: ServerMessage): void;
  report(error: unknown): void;
  nextId(): number;
}

export interface LinkParts {
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly backoff: Backoff;
  /** Time limit from the start of the handshake to the welcome. */
  readonly connectTimeoutMs: number;
  open(token: string | undefined, events: WireEvents): Wire;
}

import type { RequestId } from '../protocol/client-messages.js';
import type { ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import type { Backoff } from './backoff.js';
import type { Credentials } from './credentials.js';
import type { Emit } from './live-client.events.js';
import type { Platform } from './platform.js';
import type { LiveStatus } from './status.js';
import type { Wire, WireEvents } from './wire.js';

/** Receiver of a link's events. */
export interface LinkOwner {
  /** Whether a request or a topic still relies on the predecessor of the current connection. */
  readonly owed: boolean;
  readonly emit: Emit;
  setStatus(status: LiveStatus): void;
  /** A connection is ready: a new one, or one that `isBack` because its successor is over. */
  up(welcome: WelcomeMessage, isBack: boolean): void;
  /** The connection is over, or, if `isReplaced`, stays open as long as something is `owed`. */
  down(isReplaced: boolean): void;
  /** The predecessor of the current connection is closed. */
  oldDown(): void;
  /** Called with every message except those about the connection itself. */
  message(message: ServerMessage): void;
  /** Called with every message of the predecessor. */
  late(message: ServerMessage): void;
  /** Sends a ping on the current connection and returns its id. */
  ping(): RequestId;
}

export interface LinkParts {
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly backoff: Backoff;
  /** Time limit from the start of the handshake to the welcome. */
  readonly connectTimeoutMs: number;
  open(token: string | undefined, events: WireEvents): Wire;
}

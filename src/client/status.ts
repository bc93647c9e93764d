import type { ErrorCode } from '../protocol/codes.js';
import type { WelcomeMessage } from '../protocol/messages.js';

/**
 * - `connecting`: a handshake or a credential request is in progress, or there is no page and the
 *   client has not been used yet.
 * - `open`: the server has sent its welcome.
 * - `waiting`: the connection is down. The next attempt starts after `delayMs`, or when the network
 *   or page comes back. `delayMs` is `Infinity` while the page is in the back/forward cache.
 * - `closed`: closed for good. Create a new client to reconnect.
 */
export type LiveStatus =
  | {
      /** An attempt is under way, or the client has not been used yet. */
      readonly state: 'connecting';
      /** Consecutive failed attempts before this one. */
      readonly attempt: number;
    }
  | {
      /** The server has sent its welcome. */
      readonly state: 'open';
      /** The server's first message. */
      readonly welcome: WelcomeMessage;
    }
  | {
      /** The connection is down, and the client will try again. */
      readonly state: 'waiting';
      /** Milliseconds until the next attempt, or `Infinity`. */
      readonly delayMs: number;
      /** Close code of the last connection. 1006 if the handshake failed. */
      readonly code: number;
      /** Close reason of the last connection; may be empty. */
      readonly reason: string;
    }
  | {
      /** The client is closed for good. */
      readonly state: 'closed';
      /** Close code of the last connection, or 1000 after `close()`. */
      readonly code: number;
      /** Close reason of the last connection; may be empty. */
      readonly reason: string;
      /** The cause, unless `close()` or a close code of the server ended it. */
      readonly error?: unknown;
    };

/** A subscription that the server could not start or continue yet. */
export interface LiveWaiting {
  /** The topic of the subscription. */
  readonly topic: string;
  /** `unavailable`, `rate-limited` or `internal`. */
  readonly code: ErrorCode;
  /** Text of the error, for people. */
  readonly reason: string;
  /** Milliseconds until the next try. */
  readonly delayMs: number;
}

/** The states of `LiveStatus`. */
export type LiveClientState = LiveStatus['state'];

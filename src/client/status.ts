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
      readonly state: 'connecting';
      /** Consecutive failed attempts before this one. */
      readonly attempt: number;
    }
  | { readonly state: 'open'; readonly welcome: WelcomeMessage }
  | {
      readonly state: 'waiting';
      readonly delayMs: number;
      /** Close code of the last connection. 1006 if the handshake failed. */
      readonly code: number;
      readonly reason: string;
    }
  | {
      readonly state: 'closed';
      readonly code: number;
      readonly reason: string;
      /** The cause, unless `close()` or a close code of the server ended it. */
      readonly error?: unknown;
    };

/** A subscription that the server could not start or continue yet. */
export interface LiveWaiting {
  readonly topic: string;
  /** `unavailable`, `rate-limited` or `internal`. */
  readonly code: ErrorCode;
  readonly reason: string;
  /** Milliseconds until the next try. */
  readonly delayMs: number;
}

export type LiveClientState = LiveStatus['state'];

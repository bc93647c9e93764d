import type { ErrorCode } from '../protocol/codes.js';
import type { WelcomeMessage } from '../protocol/messages.js';

/**
 * - `connecting`: a handshake is under way, or the credential is being asked for. Also before the first use, where there
 *   is no page.
 * - `open`: welcomed by the server.
 * - `waiting`: the connection is down, another try comes after `delayMs`, or at once when the network or the page
 *   comes back. `delayMs` is `Infinity` while the page is in the back/forward cache.
 * - `closed`: over for good. A new client is needed to come back.
 */
export type LiveStatus =
  | {
      readonly state: 'connecting';
      /** Tries that failed in a row before this one. */
      readonly attempt: number;
    }
  | { readonly state: 'open'; readonly welcome: WelcomeMessage }
  | {
      readonly state: 'waiting';
      readonly delayMs: number;
      /** Close code of the connection that ended; 1006 also where the handshake failed. */
      readonly code: number;
      readonly reason: string;
    }
  | {
      readonly state: 'closed';
      readonly code: number;
      readonly reason: string;
      /** Where it was neither `close()` nor a close code that ended it. */
      readonly error?: unknown;
    };

/** A subscription that the server could not start or go on with now. */
export interface LiveWaiting {
  readonly topic: string;
  /** `unavailable`, `rate-limited` or `internal`. */
  readonly code: ErrorCode;
  readonly reason: string;
  /** Milliseconds until it is tried again. */
  readonly delayMs: number;
}

export type LiveClientState = LiveStatus['state'];

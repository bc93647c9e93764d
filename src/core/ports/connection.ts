import type { LiveUser } from './identity.js';

/**
 * One client's connection, as handlers, guards, hooks and observers of the application get it. It is the same object from
 * `handleConnection` to `handleDisconnect`, so it may be a key of a `WeakMap`.
 *
 * @publicApi
 */
export interface LiveConnection {
  /** A UUID. */
  readonly id: string;
  /** `null` where no guard named anybody. */
  readonly user: LiveUser | null;
  /** The credential's end in milliseconds since 1970, if it has one. */
  readonly expiresAt: number | undefined;
  /** The client's address, behind the trusted proxies; 'unknown' where the socket has none. */
  readonly remoteAddr: string;
  /** The handshake's cookie header, for questions to the session's backend. Never log it. */
  readonly cookieHeader: string | undefined;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** When a message or a pong last came, in milliseconds since 1970. */
  readonly lastSeenAt: number;
  /** Whether it can still be sent to: neither side has begun to close. */
  readonly open: boolean;
  /** The topics that it is subscribed to. */
  readonly topics: readonly string[];
  /** Sends one message, an object with a `type`, as JSON. Does nothing once the connection is closing. */
  send(message: { readonly type: string }): void;
  /**
   * Closes after what was already sent. Only the first call counts.
   *
   * @param code 4000 to 4499 let a client come back, 4500 to 4999 do not
   * @param reason at most 123 bytes of UTF-8 are sent [L-10.4]
   */
  close(code: number, reason: string): void;
  /** What may be logged of it: never the cookie, nor the user's claims. */
  toJSON(): LiveConnectionJson;
}

/** A connection in a log line. */
export interface LiveConnectionJson {
  readonly id: string;
  readonly userId: string | undefined;
  readonly remoteAddr: string;
  readonly openedAt: number;
  readonly lastSeenAt: number;
}

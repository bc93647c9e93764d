import type { LiveUser } from './identity.js';

/**
 * One client's connection, as passed to handlers, guards, hooks and observers of the application.
 * It is the same object from `handleConnection` to `handleDisconnect`, so it can be a key of a
 * `WeakMap`.
 */
export interface LiveConnection {
  /** A UUID. */
  readonly id: string;
  /** `null` if no guard identified a user. */
  readonly user: LiveUser | null;
  /** Expiry of the credential in milliseconds since 1970, if it has one. */
  readonly expiresAt: number | undefined;
  /** The client's address, behind trusted proxies. 'unknown' if the socket has none. */
  readonly remoteAddr: string;
  /** Cookie header of the handshake, for checks with the session backend. Never log it. */
  readonly cookieHeader: string | undefined;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** When the last message or pong arrived, in milliseconds since 1970. */
  readonly lastSeenAt: number;
  /** Whether it can still be sent to: neither side has started to close. */
  readonly open: boolean;
  /** The topics it is subscribed to. */
  readonly topics: readonly string[];
  /**
   * Sends one message, an object with a `type`, as JSON. Does nothing once the connection is
   * closing.
   */
  send(message: { readonly type: string }): void;
  /**
   * Closes after everything sent so far. Only the first call counts.
   *
   * @param code - 4000 to 4499 allow the client to reconnect, 4500 to 4999 do not
   * @param reason - at most 123 bytes of UTF-8 are sent [L-10.4]
   */
  close(code: number, reason: string): void;
  /** The fields that may be logged: never the cookie or the user's claims. */
  toJSON(): LiveConnectionJson;
}

/** A connection in a log line. */
export interface LiveConnectionJson {
  /** As `LiveConnection.id`. */
  readonly id: string;
  /** Id of its user; `undefined` if no guard identified one. */
  readonly userId: string | undefined;
  /** As `LiveConnection.remoteAddr`. */
  readonly remoteAddr: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** Milliseconds since 1970. */
  readonly lastSeenAt: number;
}

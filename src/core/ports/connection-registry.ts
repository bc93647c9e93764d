import type { LiveConnection } from './connection.js';

/**
 * All connections of this instance. Read-only for the application; it changes as peers connect and
 * disconnect.
 */
export abstract class ConnectionRegistry {
  /** Current number of connections. */
  abstract readonly size: number;
  /** Current number of users with at least one connection. */
  abstract readonly userCount: number;

  /** The connection with this id, or `undefined`. */
  abstract get(id: string): LiveConnection | undefined;

  /** All connections of the user; empty if there is none. */
  abstract ofUser(userId: string): readonly LiveConnection[];

  /** Connections that are subscribed to the topic now. */
  abstract ofTopic(topic: string): readonly LiveConnection[];

  /** All connections, in the order in which they came. */
  abstract [Symbol.iterator](): IterableIterator<LiveConnection>;

  /**
   * Closes the connection with this id, or every connection of the user with this id. Returns their
   * number.
   *
   * @param code - defaults to 4503, after which a client does not reconnect; 4000 to 4499 allow it
   * @param reason - at most 123 bytes of UTF-8 are sent [L-10.4]
   */
  abstract disconnect(idOrUser: string, code?: number, reason?: string): number;
}

import type { LiveConnection } from './connection.js';

/**
 * All connections of this instance. Read it freely; it changes as peers come and go.
 *
 * @publicApi
 */
export abstract class ConnectionRegistry {
  /** Connections now. */
  abstract readonly size: number;
  /** Users with at least one connection now. */
  abstract readonly userCount: number;

  abstract get(id: string): LiveConnection | undefined;

  abstract ofUser(userId: string): readonly LiveConnection[];

  /** Connections that are subscribed to the topic now. */
  abstract ofTopic(topic: string): readonly LiveConnection[];

  abstract [Symbol.iterator](): IterableIterator<LiveConnection>;

  /**
   * Closes the connection with this id, or every connection of the user with this id; returns how many.
   *
   * @param code defaults to 4503, after which a client does not come back; 4000 to 4499 let it
   * @param reason at most 123 bytes of UTF-8 are sent [L-10.4]
   */
  abstract disconnect(idOrUser: string, code?: number, reason?: string): number;
}

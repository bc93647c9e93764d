import { ConnectionRegistry } from '../ports/connection-registry.js';
import type { Connection } from './connection.js';
import { CloseCode } from '../../protocol/codes.js';
import type { Observer } from '../ports/observer.js';
import type { Heartbeat } from './heartbeat.js';

/** Returns the subscribers of a topic. Provided by the hub. */
export type SubscribersOf = (topic: string) => readonly Connection[];

/** All connections of this instance, by id and by user. */
export class Registry extends ConnectionRegistry {
  private readonly byId = new Map<string, Connection>();
  // Most users have one connection, which is stored without a set.
  private readonly byUser = new Map<string, Connection | Set<Connection>>();

  constructor(private readonly subscribersOf: SubscribersOf) {
    super();
  }

  override get size(): number {
    return this.byId.size;
  }

  override get userCount(): number {
    return this.byUser.size;
  }

  override get(id: string): Connection | undefined {
    return this.byId.get(id);
  }

  override ofUser(userId: string): readonly Connection[] {
    const found = this.byUser.get(userId);
    if (found === undefined) return [];
    return found instanceof Set ? [...found] : [found];
  }

  override ofTopic(topic: string): readonly Connection[] {
    return this.subscribersOf(topic);
  }

  override [Symbol.iterator](): IterableIterator<Connection> {
    return this.byId.values();
  }

  override disconnect(
    idOrUser: string,
    code: number = CloseCode.disconnected,
    reason = 'disconnected by the application',
  ): number {
    const connection = this.byId.get(idOrUser);
    const connections = connection === undefined ? this.ofUser(idOrUser) : [connection];
    for (const each of connections) each.close(code, reason);
    return connections.length;
  }

  add(connection: Connection): void {
    this.byId.set(connection.id, connection);
    const userId = connection.user?.id;
    if (userId === undefined) return;
    const found = this.byUser.get(userId);
    if (found === undefined) this.byUser.set(userId, connection);
    else if (found instanceof Set) found.add(connection);
    else this.byUser.set(userId, new Set([found, connection]));
  }

  /** Returns `false` if it was not registered. */
  remove(connection: Connection): boolean {
    if (!this.byId.delete(connection.id)) return false;
    const userId = connection.user?.id;
    if (userId === undefined) return true;
    const found = this.byUser.get(userId);
    if (found instanceof Set) {
      found.delete(connection);
      if (found.size === 0) this.byUser.delete(userId);
    } else if (found === connection) {
      this.byUser.delete(userId);
    }
    return true;
  }
}

const failure = [CloseCode.internalError, 'the server failed'] as const;

/** Adds connections to the registry and removes them, completely or not at all. */
export class Arrivals {
  constructor(
    private readonly registry: Registry,
    private readonly heartbeat: Heartbeat,
    private readonly observer: Observer,
    /** Called after each connection that has left. */
    private readonly onLeft: () => void,
  ) {}

  /**
   * Sends the welcome. If anything throws, the connection is removed, its socket is terminated, and
   * the error is rethrown.
   */
  enter(connection: Connection, welcomeText: () => string): void {
    let announced = false;
    try {
      this.registry.add(connection);
      this.heartbeat.welcome(connection);
      connection.greet(welcomeText());
      announced = true;
      this.observer.opened(connection);
    } catch (error) {
      // Report the end here, because the owner of the socket gets the session only after this call.
      this.registry.remove(connection);
      connection.terminate(...failure);
      if (announced) this.observer.closed(connection, ...failure);
      this.onLeft();
      throw error;
    }
  }

  /** The socket is gone. */
  left(connection: Connection, code: number, reason: string): void {
    if (!this.registry.remove(connection)) return;
    try {
      this.observer.closed(connection, code, reason);
    } finally {
      this.onLeft();
    }
  }
}

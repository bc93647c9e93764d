import { ConnectionRegistry } from '../ports/connection-registry.js';
import type { Connection } from './connection.js';
import { CloseCode } from '../../protocol/codes.js';

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

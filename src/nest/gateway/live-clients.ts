import type { IncomingMessage } from 'node:http';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { KeptHandshake } from '../auth/kept-handshake.js';
import { type BoundHandler, LiveClient } from './live-client.js';
import type { MessageContext } from './message-contexts.js';

type ConnectHandler = (connection: LiveConnection, request?: IncomingMessage) => void;

/**
 * The server of the live gateways, as Nest knows it. Gateways register here and see every live
 * connection. `@WebSocketServer()` returns it.
 */
export class LiveClients {
  private readonly onConnect: ConnectHandler[] = [];
  private readonly clients = new Map<LiveConnection, LiveClient>();
  private contexts: ReadonlyMap<unknown, MessageContext> | undefined;
  private late = false;

  /** Handles messages with these contexts instead of Nest's bound handlers. */
  handleBy(contexts: ReadonlyMap<unknown, MessageContext>): void {
    this.contexts = contexts;
  }

  /**
   * Binds gateways to a connection with its first message: a quiet one needs none of the 2 KB of
   * handlers that Nest makes for it. Only for gateways that have no hooks to call before.
   */
  bindLate(): void {
    this.late = true;
  }

  /** Registers a gateway, which will see each connection. */
  addGateway(onConnect: ConnectHandler): void {
    this.onConnect.push(onConnect);
  }

  /** A client that is about to connect. Its `find` returns its handlers. */
  clientOf(connection: LiveConnection, kept: KeptHandshake | undefined): LiveClient {
    return new LiveClient(connection, this.callbackOf, kept);
  }

  connected(client: LiveClient, request: IncomingMessage): void {
    this.clients.set(client.connection, client);
    if (!this.late) for (const onConnect of this.onConnect) onConnect(client.connection, request);
  }

  disconnected(connection: LiveConnection, reason: string): void {
    const client = this.clients.get(connection);
    this.clients.delete(connection);
    client?.disconnected(reason);
  }

  /** The handshake of a connection, if it was kept. */
  handshakeOf(connection: LiveConnection): KeptHandshake | undefined {
    return this.clients.get(connection)?.kept;
  }

  bindHandlers(connection: LiveConnection, handlers: readonly BoundHandler[]): void {
    this.clients.get(connection)?.bindHandlers(handlers);
  }

  bindDisconnect(connection: LiveConnection, onDisconnect: (reason: string) => void): void {
    this.clients.get(connection)?.bindDisconnect(onDisconnect);
  }

  private readonly callbackOf = (client: LiveClient, type: string): BoundHandler['callback'] | undefined => {
    const { connection } = client;
    const context = this.contexts?.get(type);
    if (this.contexts !== undefined) return context && ((message) => context(connection, message));
    if (this.late) this.bindUpTo(client, type);
    return client.boundTo(type);
  };

  /** Binds gateways in their order until one handles the type. */
  private bindUpTo(client: LiveClient, type: string): void {
    while (client.boundTo(type) === undefined && client.boundGateways < this.onConnect.length) {
      this.onConnect[client.boundGateways++]?.(client.connection);
    }
  }
}

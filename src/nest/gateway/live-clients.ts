import type { IncomingMessage } from 'node:http';
import { isObservable, Observable, takeUntil } from 'rxjs';
import type { FindHandler, Handler } from '../../core/inbound/responder.js';
import type { LiveConnection } from '../../core/ports/connection.js';
import { isVerb } from '../../core/verbs/verbs.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { keepReason, openingOf } from './connection-hooks.js';
import type { MessageContext } from './message-contexts.js';
import { ObservedAnswers } from './observed-answers.js';

type Callback = (...args: unknown[]) => unknown;

/** One `@SubscribeMessage` handler that Nest bound to a client. */
export interface BoundHandler {
  readonly message: unknown;
  readonly callback: Callback;
}

type DisconnectHandler = (reason: string) => void;

type ConnectHandler = (connection: LiveConnection, request?: IncomingMessage) => void;

const none: readonly never[] = [];

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
  clientOf(connection: LiveConnection, kept?: object): LiveClient {
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

  /** What the server keeps for a connection. */
  keptFor(connection: LiveConnection): object | undefined {
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

/** One connection from the view of Nest's gateways. */
export class LiveClient {
  /** Handlers by message type, made when the first message of the type arrives. */
  private handlers: Map<string, Handler> | undefined;
  /** Number of gateways that are bound, if they are bound late. */
  boundGateways = 0;
  private bound: readonly BoundHandler[] = none;
  private onDisconnect: readonly DisconnectHandler[] = none;

  /**
   * @param callbackOf - finds the handler of a message type, once for each type
   * @param kept - what the server keeps for the connection
   */
  constructor(
    readonly connection: LiveConnection,
    private readonly callbackOf: (client: LiveClient, type: string) => Callback | undefined,
    readonly kept: object | undefined,
  ) {}

  readonly find: FindHandler = (type) => {
    const known = this.handlers?.get(type);
    if (known !== undefined) return known;
    const callback = this.callbackOf(this, type);
    if (callback === undefined) return undefined;
    const handler = this.handlerOf(callback);
    (this.handlers ??= new Map()).set(type, handler);
    return handler;
  };

  bindHandlers(handlers: readonly BoundHandler[]): void {
    this.bound = this.bound.length === 0 ? handlers : [...this.bound, ...handlers];
  }

  bindDisconnect(onDisconnect: DisconnectHandler): void {
    // `push` would reserve room for 17 entries on each connection.
    this.onDisconnect = [...this.onDisconnect, onDisconnect];
  }

  boundTo(type: string): Callback | undefined {
    for (const { message, callback } of this.bound) if (message === type) return callback;
    return undefined;
  }

  disconnected(reason: string): void {
    keepReason(this.connection, reason);
    for (const onDisconnect of this.onDisconnect) onDisconnect(reason);
  }

  /** The next message waits until the Observable completes or the connection ends. */
  private handlerOf(callback: Callback): Handler {
    const { connection } = this;
    return async (message: InboundMessage) => {
      const opening = openingOf(connection);
      if (opening !== undefined) {
        await opening;
        if (!connection.open) return undefined;
      }
      const result = await callback(message);
      if (!isObservable(result)) return result;
      // The peer has already left, so its disconnect event will not end the Observable.
      if (!connection.open) return undefined;
      return new ObservedAnswers(result.pipe(takeUntil(this.gone)), !isVerb(message.type));
    };
  }

  /** Emits when the client has disconnected. */
  private get gone(): Observable<void> {
    return new Observable((subscriber) => {
      const notify: DisconnectHandler = () => subscriber.next();
      this.onDisconnect = [...this.onDisconnect, notify];
      return () => {
        this.onDisconnect = this.onDisconnect.filter((each) => each !== notify);
      };
    });
  }
}

import type { IncomingMessage } from 'node:http';
import { isObservable, Observable, takeUntil } from 'rxjs';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { FindHandler, Handler } from '../../core/inbound/responder.js';
import { isVerb } from '../../core/verbs/verbs.js';
import { keepReason, openingOf } from './connection-hooks.js';
import type { MessageContext } from './message-contexts.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { ObservedAnswers } from './observed-answers.js';

/** One `@SubscribeMessage` handler that Nest bound to a client. */
export interface BoundHandler {
  readonly message: unknown;
  readonly callback: (...args: unknown[]) => unknown;
}

type ConnectHandler = (connection: LiveConnection, request: IncomingMessage) => void;
type DisconnectHandler = (reason: string) => void;

/** One connection from the view of Nest's gateways. */
interface Client {
  handlers: readonly BoundHandler[];
  onDisconnect: readonly DisconnectHandler[];
}

const none: readonly never[] = [];

/**
 * The server of the live gateways, as Nest knows it. Gateways register here and see every live
 * connection. `@WebSocketServer()` returns it.
 */
export class LiveClients {
  private readonly onConnect: ConnectHandler[] = [];
  private readonly clients = new Map<LiveConnection, Client>();
  private contexts: ReadonlyMap<unknown, MessageContext> | undefined;

  /** Handles messages with these contexts instead of Nest's bound handlers. */
  handleBy(contexts: ReadonlyMap<unknown, MessageContext>): void {
    this.contexts = contexts;
  }

  /** Registers a gateway, which will see each connection. */
  addGateway(onConnect: ConnectHandler): void {
    this.onConnect.push(onConnect);
  }

  connected(connection: LiveConnection, request: IncomingMessage): void {
    for (const onConnect of this.onConnect) onConnect(connection, request);
  }

  disconnected(connection: LiveConnection, reason: string): void {
    const client = this.clients.get(connection);
    this.clients.delete(connection);
    keepReason(connection, reason);
    for (const onDisconnect of client?.onDisconnect ?? []) onDisconnect(reason);
  }

  bindHandlers(connection: LiveConnection, handlers: readonly BoundHandler[]): void {
    const client = this.client(connection);
    client.handlers = client.handlers.length === 0 ? handlers : [...client.handlers, ...handlers];
  }

  bindDisconnect(connection: LiveConnection, onDisconnect: DisconnectHandler): void {
    const client = this.client(connection);
    // `push` would reserve room for 17 entries on each connection.
    client.onDisconnect =
      client.onDisconnect.length === 0 ? [onDisconnect] : [...client.onDisconnect, onDisconnect];
  }

  /** Returns the handler lookup of a connection. */
  finder(connection: LiveConnection): FindHandler {
    return (type) => {
      const client = this.clients.get(connection);
      if (client === undefined) return undefined;
      if (this.contexts !== undefined) {
        const context = this.contexts.get(type);
        return context && handlerOf(connection, client, (message) => context(connection, message));
      }
      for (const { message, callback } of client.handlers) {
        if (message === type) return handlerOf(connection, client, callback);
      }
      return undefined;
    };
  }

  private client(connection: LiveConnection): Client {
    let client = this.clients.get(connection);
    if (client === undefined) {
      client = { handlers: none, onDisconnect: none };
      this.clients.set(connection, client);
    }
    return client;
  }
}

/** Emits when the client has disconnected. */
function goneOf(client: Client): Observable<void> {
  return new Observable((subscriber) => {
    const notify: DisconnectHandler = () => subscriber.next();
    client.onDisconnect = [...client.onDisconnect, notify];
    return () => {
      client.onDisconnect = client.onDisconnect.filter((each) => each !== notify);
    };
  });
}

/** The next message waits until the Observable completes or the connection ends. */
function handlerOf(connection: LiveConnection, client: Client, callback: BoundHandler['callback']): Handler {
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
    return new ObservedAnswers(result.pipe(takeUntil(goneOf(client))), !isVerb(message.type));
  };
}

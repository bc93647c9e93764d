import type { IncomingMessage } from 'node:http';
import { Observable, takeUntil } from 'rxjs';
import type { LiveConnection } from '../../core/ports/connection.js';
import { keepReason } from './connection-hooks.js';
import { ObservedAnswers } from './observed-answers.js';

type DisconnectHandler = (reason: string) => void;

type ConnectHandler = (connection: LiveConnection, request?: IncomingMessage) => void;

const none: readonly never[] = [];

/**
 * The server of the live gateways, as Nest knows it. Gateways register here, and those with hooks
 * see every live connection. `@WebSocketServer()` returns it.
 */
export class LiveClients {
  private readonly onConnect: ConnectHandler[] = [];
  private readonly clients = new Map<LiveConnection, LiveClient>();

  /** Whether gateways have to see connections. */
  haveHooks = true;

  /** Registers a gateway, which will see each connection. */
  addGateway(onConnect: ConnectHandler): void {
    this.onConnect.push(onConnect);
  }

  /** @param kept - what the server keeps for the connection */
  connected(connection: LiveConnection, request: IncomingMessage, kept?: object): void {
    this.clients.set(connection, { kept, onDisconnect: none });
    if (this.haveHooks) for (const onConnect of this.onConnect) onConnect(connection, request);
  }

  disconnected(connection: LiveConnection, reason: string): void {
    const client = this.clients.get(connection);
    this.clients.delete(connection);
    keepReason(connection, reason);
    for (const onDisconnect of client?.onDisconnect ?? none) onDisconnect(reason);
  }

  /** What the server keeps for a connection. */
  keptFor(connection: LiveConnection): object | undefined {
    return this.clients.get(connection)?.kept;
  }

  bindDisconnect(connection: LiveConnection, onDisconnect: DisconnectHandler): void {
    const client = this.clients.get(connection);
    // `push` would reserve room for 17 entries on each connection.
    if (client !== undefined) client.onDisconnect = [...client.onDisconnect, onDisconnect];
  }

  /** The values of an Observable as answers, until the connection ends. [L-2.13] */
  readonly answersOf = (
    values: Observable<unknown>,
    connection: LiveConnection,
    mayRepeat: boolean,
  ): unknown => {
    // The peer has already left, so its disconnect event will not end the Observable.
    if (!connection.open) return undefined;
    return new ObservedAnswers(values.pipe(takeUntil(this.goneOf(connection))), mayRepeat);
  };

  /** Emits when the client has disconnected. */
  private goneOf(connection: LiveConnection): Observable<void> {
    return new Observable((subscriber) => {
      const notify: DisconnectHandler = () => subscriber.next();
      this.bindDisconnect(connection, notify);
      return () => {
        const client = this.clients.get(connection);
        if (client) client.onDisconnect = client.onDisconnect.filter((each) => each !== notify);
      };
    });
  }
}

interface LiveClient {
  readonly kept: object | undefined;
  onDisconnect: readonly DisconnectHandler[];
}

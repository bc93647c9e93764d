import { isObservable, Observable, takeUntil } from 'rxjs';
import type { FindHandler, Handler } from '../../core/inbound/responder.js';
import type { LiveConnection } from '../../core/ports/connection.js';
import { isVerb } from '../../core/verbs/verbs.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import type { KeptHandshake } from '../auth/kept-handshake.js';
import { keepReason, openingOf } from './connection-hooks.js';
import { ObservedAnswers } from './observed-answers.js';

type Callback = (...args: unknown[]) => unknown;

/** One `@SubscribeMessage` handler that Nest bound to a client. */
export interface BoundHandler {
  readonly message: unknown;
  readonly callback: Callback;
}

type DisconnectHandler = (reason: string) => void;

const none: readonly never[] = [];

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
   * @param kept - the handshake, if the guards may have to run again
   */
  constructor(
    readonly connection: LiveConnection,
    private readonly callbackOf: (client: LiveClient, type: string) => Callback | undefined,
    readonly kept: KeptHandshake | undefined,
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

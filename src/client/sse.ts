/**
 * Server-Sent Events for the client where WebSockets are blocked. It is an entry of its own, so
 * that clients without it do not load it.
 *
 * @packageDocumentation
 * @module nestjs-live/sse
 */
import { EventSocket } from './event-socket.js';
import type { FetchLike } from './fetch-like.js';
import { type WebSocketConstructor, type WebSocketLike, webSocketOf } from './wire.js';

export type { FetchedResponse, FetchLike, FetchRequest } from './fetch-like.js';
export type { WebSocketConstructor, WebSocketLike } from './wire.js';

/** Options of `webSocketOrSse`. */
export interface WebSocketOrSseOptions {
  /**
   * The WebSocket constructor; `null` to use Server-Sent Events alone.
   * @default globalThis.WebSocket
   */
  readonly webSocket?: WebSocketConstructor | null | undefined;
  /**
   * Milliseconds for a WebSocket to open. Some proxies swallow handshakes without an answer.
   * @default 1_500
   */
  readonly openWithinMs?: number | undefined;
  /**
   * Milliseconds after which a client on an event stream tries the WebSocket again; doubled each
   * time, up to an hour. It keeps the stream until the next connection has taken over.
   * @default 300_000
   */
  readonly retryMs?: number | undefined;
  /**
   * What reads the stream and posts messages.
   * @default globalThis.fetch
   */
  readonly fetch?: FetchLike | undefined;
}

/** Statuses that say that the door is open and this client not welcome. */
const refusals: ReadonlySet<number | undefined> = new Set([401, 403, 429]);
const maxRetryMs = 3_600_000;
/** Where a WebSocket has opened before, the server is more likely away than sockets blocked. */
const patience = 3;

type Listener = (event: object) => void;

/**
 * A WebSocket where one opens, else an event stream with the same messages:
 * `connect(url, { webSocket: webSocketOrSse() })`. The server needs the option `sse`.
 */
export function webSocketOrSse(options: WebSocketOrSseOptions = {}): WebSocketConstructor {
  const { openWithinMs = 1_500, fetch = globalThis.fetch as unknown as FetchLike } = options;
  let retryMs = options.retryMs ?? 300_000;
  let failuresAllowed = 0;
  /** Until then event streams are opened at once. */
  let blockedUntilMs = options.webSocket === null ? Infinity : 0;

  return class WebSocketOrSse implements WebSocketLike {
    readonly #listeners: [type: string, listener: Listener][] = [];
    readonly #url: string;
    readonly #protocols: string[];
    #socket: Pick<WebSocketLike, 'send' | 'close'> | undefined;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #over = false;

    constructor(url: string, protocols: string[]) {
      this.#url = url;
      this.#protocols = protocols;
      if (performance.now() < blockedUntilMs) this.#openStream();
      else this.#openSocket(webSocketOf(options.webSocket ?? undefined));
    }

    addEventListener(type: never, listener: never): void {
      this.#listeners.push([type, listener]);
    }

    send(text: string): void {
      this.#socket?.send(text);
    }

    close(code?: number, reason?: string): void {
      this.#over = true;
      clearTimeout(this.#timer);
      this.#socket?.close(code, reason);
    }

    #openSocket(WebSocket: WebSocketConstructor): void {
      const socket = new WebSocket(this.#url, this.#protocols);
      let opened = false;
      let failed = false;
      const on = socket.addEventListener.bind(socket) as (
        type: string,
        listener: (event: { code: number; reason: string; message?: unknown }) => void,
      ) => void;
      const fail = (event: { message?: unknown }): void => {
        if (failed || this.#over) return;
        failed = true;
        clearTimeout(this.#timer);
        // Some runtimes say that the server has refused the handshake. Browsers do not.
        const said = String(event.message ?? '');
        if (failuresAllowed > 0 || /\b(?:401|403|429)\b/.test(said)) this.#end(1006, said);
        else this.#openStream();
        failuresAllowed -= 1;
      };
      on('open', () => {
        opened = true;
        failuresAllowed = patience - 1;
        clearTimeout(this.#timer);
        if (!failed) this.#emit('open', {});
      });
      on('message', (event) => {
        if (!failed) this.#emit('message', event);
      });
      on('error', (event) => {
        if (opened) this.#emit('error', event);
        else fail(event);
      });
      on('close', (event) => {
        if (!opened) fail(event);
        else this.#end(event.code, event.reason);
      });
      this.#socket = socket;
      this.#timer = setTimeout(() => {
        fail({});
        socket.close();
      }, openWithinMs);
    }

    #openStream(): void {
      const stream = new EventSocket(this.#url, this.#protocols, fetch, {
        opened: () => {
          this.#wait();
          this.#emit('open', {});
        },
        message: (data) => this.#emit('message', { data }),
        closed: (code, reason, status) => {
          // The server itself has answered: the WebSocket may only have been refused.
          if (refusals.has(status) && options.webSocket !== null) blockedUntilMs = 0;
          this.#end(code, reason);
        },
      });
      this.#socket = { send: (text) => stream.send(text), close: () => stream.close() };
    }

    /** When the time is over, the client opens its next connection and then leaves this one. */
    #wait(): void {
      if (options.webSocket === null) return;
      const now = performance.now();
      if (now >= blockedUntilMs) {
        blockedUntilMs = now + retryMs;
        retryMs = Math.min(maxRetryMs, retryMs * 2);
      }
      this.#timer = setTimeout(
        () => this.#emit('message', { data: '{"type":"draining","reconnectAfterMs":0,"windowMs":0}' }),
        blockedUntilMs - now,
      );
    }

    #end(code: number, reason: string): void {
      if (this.#over) return;
      this.#over = true;
      clearTimeout(this.#timer);
      this.#emit('close', { code, reason });
    }

    #emit(type: string, event: object): void {
      for (const [of, listener] of this.#listeners) if (of === type) listener(event);
    }
  };
}

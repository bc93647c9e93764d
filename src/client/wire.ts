import { bearerPrefix, liveSubprotocol } from '../protocol/subprotocol.js';

/** The part of WebSocket that is used. Browsers, Node and the `ws` package provide it. */
export interface WebSocketLike {
  /**
   * Called for `open`, `message`, `error` and `close`. Runtimes declare incompatible types for it.
   */
  addEventListener(type: never, listener: never): void;
  /** Sends one text message. */
  send(text: string): void;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Exists in the `ws` package and in Bun. */
  terminate?(): void;
}

/** The fields that are read from those events. */
interface SocketEvent {
  readonly data: unknown;
  readonly message?: unknown;
  readonly code: number;
  readonly reason: string;
}

/** A constructor of WebSockets, such as the one of the package `ws`. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Callbacks of one WebSocket. None is called after `closed`, or after `Wire.close`. */
export interface WireEvents {
  opened(): void;
  message(text: string): void;
  closed(code: number, reason: string): void;
}

export interface Wire {
  send(text: string): void;
  /** Ends the connection without waiting for the peer, because a dead link does not answer. */
  close(reason: string): void;
}

/**
 * Returns the WebSocket constructor to use.
 * @throws Error if neither the option nor the runtime provides one
 */
export function webSocketOf(option: WebSocketConstructor | undefined): WebSocketConstructor {
  const found = option ?? (globalThis as { readonly WebSocket?: WebSocketConstructor }).WebSocket;
  if (typeof found === 'function') return found;
  throw new Error(
    'No WebSocket here (Node has one from 22 on): npm i ws, and connect(url, { webSocket: WebSocket })',
  );
}

/** Characters allowed in an entry of the subprotocol list (RFC 9110, token). */
const tokenCharacters = /^[\w!#$%&'*+\-.^`|~]+$/;

/** Whether `token` can be sent in the subprotocol list, or there is none. */
export function isToken(token: unknown): token is string | undefined {
  return token === undefined || (typeof token === 'string' && tokenCharacters.test(token));
}

/**
 * How long a peer may take to answer a close before the socket is terminated, if the runtime can do
 * that.
 */
const closeWithinMs = 500;

/** Opens a WebSocket with the credential in the subprotocol list. [L-1.2] [L-1.3] */
export function openWire(
  WebSocket: WebSocketConstructor,
  url: string,
  token: string | undefined,
  events: WireEvents,
): Wire {
  const offered = token === undefined ? [] : [bearerPrefix + token];
  const socket = new WebSocket(url.replace(/^http/i, 'ws'), [liveSubprotocol, ...offered]);
  const on = socket.addEventListener.bind(socket) as (
    type: string,
    listener: (event: SocketEvent) => void,
  ) => void;
  let over = false;
  let opened = false;
  let cut: ReturnType<typeof setTimeout> | undefined;
  let failure = '';
  const end = (code: number, reason: string): void => {
    if (over) return;
    over = true;
    events.closed(code, reason);
  };
  on('open', () => {
    opened = true;
    if (!over) events.opened();
  });
  on('message', ({ data }) => {
    if (!over && typeof data === 'string') events.message(data);
  });
  // Stays registered after the end, because `ws` throws errors that have no listener.
  on('error', ({ message }) => {
    if (typeof message === 'string') failure = message;
    // Node 22 emits no `close` for a failed handshake.
    if (!opened) end(1006, failure);
  });
  on('close', ({ code, reason }) => {
    clearTimeout(cut);
    end(code, reason || failure);
  });
  return {
    send(text) {
      if (!over) socket.send(text);
    },
    close(reason) {
      if (over) return;
      over = true;
      socket.close(1000, reason);
      // A dead link never answers and would keep the process alive.
      if (typeof socket.terminate === 'function') cut = setTimeout(() => socket.terminate?.(), closeWithinMs);
    },
  };
}

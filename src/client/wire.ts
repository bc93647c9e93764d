import { LiveError } from '../protocol/live.error.js';
import { bearerPrefix, liveSubprotocol } from '../protocol/subprotocol.js';

/** What is used of a WebSocket: the browser's, Node's, and that of the package `ws` have it. */
export interface WebSocketLike {
  /** Of `open`, `message`, `error` and `close`; no two declare the same types for it. */
  addEventListener(type: never, listener: never): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Of the package `ws`, and of Bun. */
  terminate?(): void;
}

/** What is read of those events. */
interface SocketEvent {
  readonly data: unknown;
  readonly message?: unknown;
  readonly code: number;
  readonly reason: string;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** What becomes of one WebSocket. None is called after `close`, whoever closed. */
export interface WireEvents {
  opened(): void;
  message(text: string): void;
  closed(code: number, reason: string): void;
}

export interface Wire {
  send(text: string): void;
  /** Ends it without waiting for the peer: a dead link answers nothing. */
  close(reason: string): void;
}

/**
 * The constructor to use.
 * @throws Error where neither the option nor the runtime has one.
 */
export function webSocketOf(option: WebSocketConstructor | undefined): WebSocketConstructor {
  const found = option ?? (globalThis as { readonly WebSocket?: WebSocketConstructor }).WebSocket;
  if (typeof found === 'function') return found;
  throw new Error(
    'This runtime has no WebSocket (Node has one since version 22). Run `npm i ws`, then pass it: ' +
      "import { WebSocket } from 'ws'; connect(url, { webSocket: WebSocket })",
  );
}

/** Characters that an entry of the subprotocol list may have (RFC 9110, token). */
const tokenCharacters = /^[\w!#$%&'*+\-.^`|~]+$/;

/** @throws LiveError where `token` cannot travel in the subprotocol list. Its message does not repeat it. */
export function checkToken(token: unknown): void {
  if (token === undefined || (typeof token === 'string' && tokenCharacters.test(token))) return;
  throw new LiveError(
    'validation-failed',
    "The credential must be a string of letters, digits and !#$%&'*+-.^_`|~, as a JWT is; use base64url, not base64",
  );
}

/** How long a peer may take to answer the close before the socket is cut, where the runtime can do that. */
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
  // Stays set when it is over: `ws` throws an error that nobody listens to.
  on('error', ({ message }) => {
    if (typeof message === 'string') failure = message;
    // Node 22 has no `close` for a handshake that failed.
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
      // A dead link never answers, and would keep the process.
      if (typeof socket.terminate === 'function') cut = setTimeout(() => socket.terminate?.(), closeWithinMs);
    },
  };
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import { windowBitsRange } from '../core/frame/deflate.js';
import { liveSubprotocol } from '../protocol/subprotocol.js';
import { ServedWebSocket } from './ws-socket.js';

/** Limits of `ws` that its types do not include yet. [L-9.1] */
const wsLimits = { maxFragments: 32, maxBufferedChunks: 128, maxPendingAutoPongs: 16, closeTimeout: 3_000 };

/**
 * Without context takeover, one compressed frame serves every client, and received messages leave
 * little memory behind. `concurrencyLimit` bounds the messages inflated at once; `maxPayload`
 * bounds each.
 */
const compression = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 10,
  zlibInflateOptions: { chunkSize: 4_096 },
};

/**
 * A 1 KB window for clients that let the server choose. A connection that sent a compressed message
 * keeps 11 KB for the next one, and 44 KB with the largest window.
 */
const clientMaxWindowBits = 10;

/** Agreed windows by handshake, weak so that they are freed with it. */
const windowBits = new WeakMap<IncomingMessage, number>();

/** The window of the compressed frames that this client accepts, as a power of two; 0 for none. */
export function windowBitsOf(request: IncomingMessage): number {
  return windowBits.get(request) ?? 0;
}

/** Writes the 101 and reads the frames. Adds no listeners and keeps no list of its sockets. */
export interface HandshakeServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (ws: ServedWebSocket) => void,
  ): void;
}

/** @param compress - whether to accept permessage-deflate if a client offers it */
export function makeWebSocketServer(maxMessageBytes: number, compress = false): HandshakeServer {
  const plain = makeServer(maxMessageBytes, false);
  if (!compress) return plain;
  const modest = makeServer(maxMessageBytes, { ...compression, clientMaxWindowBits });
  const any = makeServer(maxMessageBytes, compression);
  // `ws` refuses with 400 an offer that it cannot accept, unless it has this listener. With
  // `clientMaxWindowBits` set, those are also clients that do not offer it, or offer less.
  let refused = false;
  for (const server of [modest, any]) server.on('wsClientError', () => void (refused = true));
  return {
    handleUpgrade(request, ...rest) {
      const offer = request.headers['sec-websocket-extensions'] ?? '';
      const choices = offer.includes('client_max_window_bits') ? [modest, any, plain] : [any, plain];
      for (const server of choices) {
        refused = false;
        server.handleUpgrade(request, ...rest);
        if (!refused) return;
      }
    },
  };
}

function makeServer(
  maxMessageBytes: number,
  perMessageDeflate: ServerOptions['perMessageDeflate'],
): HandshakeServer & Pick<WebSocketServer, 'on'> {
  const server = new WebSocketServer({
    WebSocket: ServedWebSocket,
    noServer: true,
    clientTracking: false,
    perMessageDeflate,
    maxPayload: maxMessageBytes,
    handleProtocols: (offered: Set<string>) => (offered.has(liveSubprotocol) ? liveSubprotocol : false),
    ...wsLimits,
  } as ServerOptions);
  if (perMessageDeflate !== false) server.on('headers', remember);
  // `handleUpgrade` yields instances of the `WebSocket` option; the `ws` types do not express that.
  return server as unknown as HandshakeServer & Pick<WebSocketServer, 'on'>;
}

/** Reads the agreed window from the headers of the answer. */
function remember(headers: readonly string[], request: IncomingMessage): void {
  const agreed = headers.find((header) => /^Sec-WebSocket-Extensions: *permessage-deflate/i.test(header));
  if (agreed === undefined) return;
  const bits = Number(/server_max_window_bits=(\d+)/.exec(agreed)?.[1] ?? windowBitsRange.most);
  // A smaller window than zlib supports: send uncompressed, which the protocol allows per message.
  if (bits >= windowBitsRange.least) windowBits.set(request, bits);
}

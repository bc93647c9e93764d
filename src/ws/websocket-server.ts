import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import { windowBitsRange } from '../core/frame/shared-frame.js';
import { liveSubprotocol } from '../protocol/subprotocol.js';
import { ServedWebSocket } from './served-web-socket.js';

/** Limits of `ws` that its types do not know yet. [L-9.1] */
const wsLimits = { maxFragments: 32, maxBufferedChunks: 128, maxPendingAutoPongs: 16, closeTimeout: 3_000 };

/**
 * No context takeover: what is sent stands for itself, so that it can be made once for all, and what is received leaves
 * little behind. `concurrencyLimit` is the messages that are inflated at a time; each is bounded by `maxPayload`.
 */
const compression = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 10,
  zlibInflateOptions: { chunkSize: 4_096 },
};

/**
 * The window of a client that lets the server choose: 1 KB. With it a connection that has sent a compressed message
 * keeps 11 KB for the next one, with the largest 44 KB.
 */
const clientMaxWindowBits = 10;

/** What a peer takes compressed, for its handshake; weak, so that it goes with it. */
const windowBits = new WeakMap<IncomingMessage, number>();

/** The window of the compressed frames that the sender of this handshake takes, as a power of two; 0 when it takes none. */
export function windowBitsOf(request: IncomingMessage): number {
  return windowBits.get(request) ?? 0;
}

/** Writes the 101 and reads the frames; listens to nothing, and keeps no list of its sockets. */
export interface HandshakeServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (ws: ServedWebSocket) => void,
  ): void;
}

/** @param compress whether permessage-deflate is agreed to where it is offered */
export function makeWebSocketServer(maxMessageBytes: number, compress = false): HandshakeServer {
  const plain = makeServer(maxMessageBytes, false);
  if (!compress) return plain;
  // `ws` answers 400 to a client that does not offer to choose its window, where one is set.
  const modest = makeServer(maxMessageBytes, { ...compression, clientMaxWindowBits });
  const any = makeServer(maxMessageBytes, compression);
  return {
    handleUpgrade(request, ...rest) {
      const offer = request.headers['sec-websocket-extensions'] ?? '';
      const server = offer.includes('client_max_window_bits') ? modest : any;
      server.handleUpgrade(request, ...rest);
    },
  };
}

function makeServer(
  maxMessageBytes: number,
  perMessageDeflate: ServerOptions['perMessageDeflate'],
): HandshakeServer {
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
  // What it makes is what `WebSocket` says.
  return server as unknown as HandshakeServer;
}

/** What was agreed stands in the answer. */
function remember(headers: readonly string[], request: IncomingMessage): void {
  const agreed = headers.find((header) => /^Sec-WebSocket-Extensions: *permessage-deflate/i.test(header));
  if (agreed === undefined) return;
  const bits = Number(/server_max_window_bits=(\d+)/.exec(agreed)?.[1] ?? windowBitsRange.most);
  // With a smaller window than zlib has, everything goes out as it is: the protocol allows that of each message.
  if (bits >= windowBitsRange.least) windowBits.set(request, bits);
}

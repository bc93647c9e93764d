import { type ServerOptions, WebSocketServer } from 'ws';
import { liveSubprotocol } from '../protocol/subprotocol.js';

/** Limits of `ws` that its types do not know yet. [L-9.1] */
const wsLimits = { maxFragments: 32, maxBufferedChunks: 128, maxPendingAutoPongs: 16, closeTimeout: 3_000 };

/** What writes the 101 and reads the frames; it listens to nothing, and keeps no list of its sockets. */
export function makeWebSocketServer(maxMessageBytes: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: (offered: Set<string>) => (offered.has(liveSubprotocol) ? liveSubprotocol : false),
    ...wsLimits,
  } as ServerOptions);
}

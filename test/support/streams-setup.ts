import { clientSockets } from '../../src/testing/client-sockets.js';
import { EventPeer } from './event-peer.js';

// The interface is that of `ws` as far as the tests use it.
clientSockets.open = (url, protocols, headers) =>
  EventPeer.likeWebSocket(url, protocols, headers) as unknown as ReturnType<typeof clientSockets.open>;

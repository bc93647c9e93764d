export { TestLive, type TestLiveOptions, type TestPeer, type TestPeerOptions } from './test-live.js';
export { TestClock } from './test-clock.js';
export { TestSocket } from './test-socket.js';
export {
  HandshakeRefused,
  LiveTestClient,
  type LiveTestClientOptions,
  type Received,
} from './live-test-client.js';

export { TestClock } from './test-clock.js';
export { TestSocket } from './test-socket.js';
export {
  HandshakeRefused,
  LiveTestClient,
  type LiveTestClientOptions,
  type Received,
} from './live-test-client.js';

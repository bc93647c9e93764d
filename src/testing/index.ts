export { TestLive, type TestLiveOptions, type TestPeer, type TestPeerOptions } from './test-live.js';
export { TestClock } from './test-clock.js';
export { TestSocket } from './test-socket.js';
export {
  HandshakeRefused,
  LiveTestClient,
  type LiveTestClientOptions,
  type Received,
} from './live-test-client.js';
export { deliveryFaults, type FindPublished } from './sim/delivery-checker.js';
export type { Fault, Rule } from './sim/faults.js';
export {
  simulate,
  type SimulateOptions,
  type SimulationFailure,
  type SimulationResult,
} from './sim/simulate.js';
export type { MakeTopics, SimStore, SimTopic, SnapshotLabel } from './sim/sim-topic.js';
export type { Step } from './sim/step.js';
export { type BrokerCheckOptions, eachBrokerCheck } from './each-broker-check.js';
export type { BrokerAbility, OpenedBroker } from './broker-checks/opened-broker.js';

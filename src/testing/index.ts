/**
 * Test clients, a server on a clock that the test moves, and simulated failures, for any test
 * runner.
 *
 * @packageDocumentation
 * @module nestjs-live/testing
 */
export { TestLive, type TestLiveOptions, type TestPeer, type TestPeerOptions } from './test-live.js';
export { TestClock } from './test-clock.js';
export { TestSocket } from './test-socket.js';
export {
  HandshakeRefused,
  LiveTestClient,
  type LiveTestClientOptions,
  type Received,
} from './live-test-client.js';
export { deliveryFaults, type FindPublished, type ToBePublished } from './sim/delivery-checker.js';
export type { Fault, Rule } from './sim/faults.js';
export {
  simulate,
  type SimulateOptions,
  type SimulationFailure,
  type SimulationResult,
} from './sim/simulate.js';
export type { MakeTopics, SimStore, SimTopic, SnapshotLabel } from './sim/sim-topic.js';
export { type BrokerCheckOptions, eachBrokerCheck } from './each-broker-check.js';
export type { BrokerAbility, OpenedBroker } from './broker-checks/opened-broker.js';
export type { InboundRate, LiveLimits, OutboundBudget, ReplayRate } from '../core/ports/limits.js';
export type { Drained, LiveSocket } from '../core/ports/socket.js';
export type { PresenceRules, OccupancyRules, PollRules, TopicRules } from '../core/ports/policy.js';
export type { SchemaCheck } from '../core/ports/contract.js';
export type { SchemaIssue, SchemaResult } from '../protocol/standard-schema.js';

import type { Cluster, ClusterStats } from './cluster/cluster.js';
import { eventStream } from './frame/event-bytes.js';
import type { Drain, DrainProgress } from './connection/drain.js';
import type { Registry } from './connection/registry.js';
import type { Hub } from './fanout/hub.js';
import type { Audience } from './audience.js';
import type { Publisher } from './publish/publisher.js';

/** Statistics of a live server. */
export interface LiveStats extends ClusterStats {
  /** Open connections to this instance. */
  readonly connections: number;
  /** Those of them that read an event stream in place of a WebSocket. */
  readonly eventStreams: number;
  /** Users with at least one connection to this instance. */
  readonly users: number;
  /** Topics with readers on this instance. */
  readonly topics: number;
  /** Subscriptions of all connections to this instance. */
  readonly subscriptions: number;
  /** Publications through this instance since the start. */
  readonly publicationsTotal: number;
  /** Deliveries since the start: publications times their subscribers. */
  readonly deliveriesTotal: number;
  /**
   * Bytes queued for all peers, outside of the kernel: inbound messages, frames to send now or at a
   * rate, and held publications.
   */
  readonly queuedBytes: number;
  /** Connections that read more slowly than data is sent. */
  readonly behind: number;
  /** Topics with missing publications that are being fetched. */
  readonly healing: number;
  /** Subscriptions that wait for a fresh start. */
  readonly restarting: number;
  /** Members of presence topics on all instances. */
  readonly presenceMembers: number;
  /** Topics whose `onOccupied`, `onVacated` and `poll` run on this instance. */
  readonly keptTopics: number;
  /** Whether the broker is available. */
  readonly brokerAvailable: boolean;
  /** Publications of the application that wait for the broker. */
  readonly waitingPublications: number;
  /** Milliseconds since the engine started to refuse publications. 0 while it accepts them. */
  readonly publishingRefusedMs: number;
  /** Whether this instance is stopping and waits for its clients to leave. */
  readonly draining: boolean;
  /** What has become of the connections since the drain began; absent before it. */
  readonly drain?: DrainProgress;
}

/** The parts of a live server that count. */
interface Counting {
  readonly registry: Registry;
  readonly hub: Hub;
  readonly publisher: Publisher;
  readonly cluster: Cluster;
  readonly audience: Audience;
  /** Whether the broker is available. */
  readonly available: boolean;
  readonly drain: Drain | undefined;
}

export function liveStatsOf(counting: Counting): LiveStats {
  const { registry, hub, publisher, cluster, audience, available, drain } = counting;
  let { queuedBytes } = hub;
  let eventStreams = 0;
  for (const { outbox, inboundBytes, socket } of registry) {
    queuedBytes += outbox.queuedBytes + inboundBytes;
    if (socket.windowBits === eventStream) eventStreams += 1;
  }
  return {
    connections: registry.size,
    eventStreams,
    users: registry.userCount,
    topics: hub.topicCount,
    subscriptions: hub.subscriptionCount,
    publicationsTotal: publisher.publicationsTotal,
    deliveriesTotal: hub.deliveriesTotal,
    queuedBytes,
    behind: [...registry].filter(({ outbox }) => outbox.hasBacklog).length,
    healing: hub.healingCount,
    restarting: hub.pausedCount,
    ...cluster.stats(),
    presenceMembers: audience.presence.size,
    keptTopics: audience.occupancy.keptCount,
    brokerAvailable: available,
    waitingPublications: publisher.waitingCount,
    publishingRefusedMs: publisher.health.refusedMs,
    draining: drain !== undefined,
    ...(drain && { drain: drain.progress }),
  };
}

import type { Connection } from '../../core/connection/connection.js';
import { type HoldBuffer, holdLimits } from '../../core/fanout/hold-buffers.js';
import type { Early } from '../../core/stream/healing-topic.js';
import { earlyWriteBytes } from '../../core/outbound/outbox.js';
import { simLimits } from './server-side.js';
import type { World } from './world.js';

/** Between any two events, registry, hub and connections must agree. */
export function checkMaps({ server, policy, tell }: World): void {
  const { registry } = server.live;
  const stats = server.live.stats();
  const { byTopic, users, subscriptions } = byConnections(registry);
  for (const { name } of policy.topics) {
    const hub = registry.ofTopic(name);
    const connections = byTopic.get(name) ?? [];
    const same = hub.length === connections.length && connections.every((each) => hub.includes(each));
    if (!same)
      tell('maps', `${name}: the hub has ${namesOf(hub)}, the connections are ${namesOf(connections)}`);
  }
  if (stats.subscriptions !== subscriptions)
    tell('maps', `${String(stats.subscriptions)} subscriptions, ${String(subscriptions)} of connections`);
  if (registry.size !== server.visitors.size)
    tell('maps', `${String(registry.size)} connections, ${String(server.visitors.size)} of the network`);
  if (stats.users !== users) tell('maps', `${String(stats.users)} users, ${String(users)} of connections`);
}

/** The state according to the connections. */
function byConnections(registry: Iterable<Connection>) {
  const byTopic = new Map<string, Connection[]>();
  const users = new Set<string | undefined>();
  let subscriptions = 0;
  for (const connection of registry) {
    users.add(connection.user?.id);
    for (const topic of connection.topics) {
      subscriptions += 1;
      const others = byTopic.get(topic);
      if (others === undefined) byTopic.set(topic, [connection]);
      else others.push(connection);
    }
  }
  return { byTopic, users: users.size, subscriptions };
}

/** Private state of the hub. */
interface Inside {
  readonly hub: { readonly topics: ReadonlyMap<string, TopicInside> };
}

interface TopicInside {
  readonly holds: ReadonlySet<HoldBuffer>;
  readonly healing?: { readonly early: readonly Early[] };
}

/** At any time, no more data is held for a subscriber than the limits allow. [L-3.11] [L-9.2] */
export function checkBounds({ server, tell }: World): void {
  for (const [name, { holds, healing }] of (server.live as unknown as Inside).hub.topics) {
    const early = healing?.early ?? [];
    const chars = early.reduce((sum, { publication }) => sum + publication.data.length, 0);
    if (early.length > holdLimits.count || chars > holdLimits.bytes)
      tell('bounds', `${String(early.length)} publications of ${name} wait for missing ones`);
    for (const { publications } of holds) {
      const bytes = publications.reduce((sum, { frame }) => sum + frame.bytes.byteLength, 0);
      if (publications.length > holdLimits.count || bytes > holdLimits.bytes)
        tell(
          'bounds',
          `${String(publications.length)} publications of ${name} are held, ${String(bytes)} bytes`,
        );
    }
  }
  for (const { session, checker, link } of server.visitors) {
    const waiting = session.connection.outbox.queuedBytes - link.bufferedBytes;
    if (waiting > earlyWriteBytes) checker.tell('bounds', `${String(waiting)} bytes wait to be written`);
  }
}

/** Whether the server has no work in flight. */
export function isQuiet({ broker, policy, server, timeline }: World): boolean {
  if (broker.network.pendingCount > 0 || policy.pendingCount > 0 || timeline.clock.hasSoon) return false;
  const { healing, restarting } = server.live.stats();
  if (healing > 0 || restarting > 0) return false;
  for (const { session, checker, link } of server.visitors)
    if (session.connection.open && (checker.pendingCount > 0 || link.hasUnread)) return false;
  return true;
}

/**
 * While no work is in flight, every subscriber is up to date, and nothing is kept for absent ones.
 */
export function checkQuiet(world: World): void {
  const { server, publications, broker, tell } = world;
  const inUse = new Set<string>();
  for (const { session, checker, link } of server.visitors) {
    const { connection } = session;
    for (const topic of connection.topics) inUse.add(topic);
    if (!connection.open) continue;
    if (connection.outbox.queuedBytes > simLimits.backPressureThresholdBytes + link.bufferedBytes)
      checker.tell('bounds', `${String(connection.outbox.queuedBytes)} bytes wait`);
    const { subscribed } = checker.delivery;
    if ([...subscribed.keys()].toSorted().join() !== connection.topics.toSorted().join())
      checker.tell(
        'maps',
        `received subscriptions to ${[...subscribed.keys()].join()}, has ${connection.topics.join()}`,
      );
    if (connection.membershipCount !== connection.topics.length)
      checker.tell('leftover', `${String(connection.membershipCount)} memberships`);
    for (const [topic, at] of subscribed) {
      if (broker.network.disturbances.isFresh(topic)) continue;
      // What waits for the end of a window or for a rate arrives later.
      const { flushMs, maxRate } = world.topic(topic)?.delivery ?? {};
      if (flushMs !== undefined || maxRate !== undefined) continue;
      const top = publications.top(topic);
      // Data queued for a peer that does not read is delivered when it reads, or the peer is
      // closed.
      if (connection.outbox.behind) continue;
      if (top?.epoch !== at.epoch || top.offset !== at.offset)
        checker.tell(
          'behind',
          `stands at ${String(at.offset)} of ${topic}, which ends at ${String(top?.offset)}`,
        );
    }
  }
  const { topics } = server.live.stats();
  if (topics !== inUse.size)
    tell('leftover', `${String(topics)} topics are open, ${String(inUse.size)} are read`);
}

/** After all peers have left and everything was closed, nothing may be left. */
export function checkEnd({ server, timeline, tell }: World): void {
  const { connections, users, topics, subscriptions, queuedBytes } = server.live.stats();
  const left = { connections, users, topics, subscriptions, queuedBytes, timers: timeline.clock.timerCount };
  for (const [what, count] of Object.entries(left))
    if (count !== 0) tell('leftover', `${String(count)} ${what} at the end`);
}

function namesOf(connections: readonly Connection[]): string {
  return `[${connections.map(({ id }) => id).join()}]`;
}

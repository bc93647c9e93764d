/**
 * @typedef {object} Scenario
 * @property {string} title
 * @property {number} topics
 * @property {number} clients
 * @property {number} topicsPerClient
 * @property {number} [readersPerTopic] each client has one topic, in turn, and a tick has one
 *   message for each topic. Otherwise topics are drawn
 * @property {number} [keys] of a topic, which its publications have in turn
 * @property {number} messagesPerTick
 * @property {number} tickMs interval, the same for all, not saturating the slowest
 * @property {number} ticks in one round, which lasts seconds, so that a garbage collection is a
 *   small part of it
 * @property {'position' | 'fleet'} [payload] the kind of message, a position by default
 * @property {object} [topic] options of nestjs-live's `@LiveTopic`
 * @property {Readonly<Record<string, number>>} [targets]
 *   max CPU per delivery, relative to the peer
 * @property {Readonly<Record<string, number>>} [nativeTargets] the same with nestjs-live-native
 * @property {number} [p99Ms] target for the latency
 */

/** @type {Readonly<Record<string, Scenario>>} */
export const scenarios = {
  A: {
    title: '1 topic × 1,000 subscribers, 1 message per tick',
    topics: 1,
    clients: 1_000,
    topicsPerClient: 1,
    messagesPerTick: 1,
    tickMs: 50,
    ticks: 60,
    targets: { 'ws-loop': 0.6, 'socket.io': 0.6, uWebSockets: 1.2 },
    nativeTargets: { uWebSockets: 1 },
  },
  B: {
    title: '1 topic × 1,000 subscribers, 10 messages per tick',
    topics: 1,
    clients: 1_000,
    topicsPerClient: 1,
    messagesPerTick: 10,
    tickMs: 300,
    ticks: 20,
    targets: { 'ws-loop': 0.085, 'socket.io': 0.16, uWebSockets: 1.2 },
  },
  C: {
    title: '100 topics, 1,000 clients with 10 random ones each, 100 messages per tick',
    topics: 100,
    clients: 1_000,
    topicsPerClient: 10,
    messagesPerTick: 100,
    tickMs: 300,
    ticks: 20,
    targets: { 'ws-loop': 0.095, 'socket.io': 0.18, uWebSockets: 1.4 },
  },
  J: {
    title: '1 topic × 250 subscribers, 200 publications a second, one per tick',
    topics: 1,
    clients: 250,
    topicsPerClient: 1,
    messagesPerTick: 1,
    tickMs: 5,
    ticks: 600,
    topic: { flushMs: 25 },
    targets: { uWebSockets: 0.45 },
    p99Ms: 60,
  },
  K: {
    title: '1,000 topics of one subscriber each, 1,000 messages per tick',
    topics: 1_000,
    clients: 1_000,
    topicsPerClient: 1,
    readersPerTopic: 1,
    messagesPerTick: 1_000,
    tickMs: 100,
    ticks: 30,
    targets: { 'ws-loop': 0.85, 'socket.io': 0.62, uWebSockets: 1.45 },
    nativeTargets: { uWebSockets: 1.2 },
  },
  L: {
    title:
      '10 topics × 100 subscribers with a history and the last publication of each key, 10 messages per tick',
    topics: 10,
    clients: 1_000,
    topicsPerClient: 1,
    readersPerTopic: 100,
    keys: 20,
    messagesPerTick: 10,
    tickMs: 50,
    ticks: 60,
    topic: { history: {}, snapshot: 'last-per-key' },
    targets: { 'ws-loop': 0.6, uWebSockets: 1.35 },
  },
};

/** A scenario with this fraction of its clients and ticks, for a quick try. */
export function scaled(scenario, share) {
  const clients = Math.max(10, Math.round(scenario.clients * share));
  const { readersPerTopic } = scenario;
  const topics = readersPerTopic === undefined ? undefined : Math.ceil(clients / readersPerTopic);
  return {
    ...scenario,
    clients,
    ticks: Math.max(2, Math.round(scenario.ticks * Math.sqrt(share))),
    ...(topics !== undefined && { topics, messagesPerTick: topics }),
  };
}

/** Every client's topics, the same for every peer: in turn, or drawn pseudo-randomly. */
export function drawTopics({ topics, clients, topicsPerClient, readersPerTopic }) {
  if (readersPerTopic !== undefined)
    return Array.from({ length: clients }, (_, client) => [topicName(client % topics)]);
  const random = mulberry32(20_260_101);
  return Array.from({ length: clients }, () => {
    const drawn = new Set();
    while (drawn.size < topicsPerClient) drawn.add(topicName(Math.floor(random() * topics)));
    return [...drawn];
  });
}

/** The key of a topic's publication with this number, if the scenario has keys. */
export function keyName({ keys }, number) {
  return keys === undefined ? undefined : `vehicle-${String(number % keys)}`;
}

export function topicName(index) {
  return `bench/${String(index)}`;
}

/** Deliveries per client in one round without loss. Topics share a tick's messages equally. */
export function expectedPerClient({ topics, topicsPerClient, messagesPerTick, ticks }) {
  return (messagesPerTick / topics) * topicsPerClient * ticks;
}

/** A small generator whose numbers depend on the seed alone. */
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

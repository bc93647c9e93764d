/**
 * @typedef {object} Scenario
 * @property {string} title
 * @property {number} topics
 * @property {number} clients
 * @property {number} topicsPerClient
 * @property {number} messagesPerTick
 * @property {number} tickMs the schedule, the same for all peers: long enough that the slowest of them is not saturated
 * @property {number} ticks in one round
 * @property {'position' | 'fleet'} [payload] what a message is, a position by default
 * @property {object} [topic] what nestjs-live's `@LiveTopic` says of the topics
 * @property {Readonly<Record<string, number>>} [targets] the server's CPU for a delivery, at most so many times the peer's
 * @property {number} [p99Ms] target for the latency
 */

/** @type {Readonly<Record<string, Scenario>>} */
export const scenarios = {
  A: {
    title: '1 topic × 1,000 subscribers, 1 message a tick',
    topics: 1,
    clients: 1_000,
    topicsPerClient: 1,
    messagesPerTick: 1,
    tickMs: 50,
    ticks: 20,
    targets: { 'ws-loop': 0.75, 'socket.io': 0.7, uWebSockets: 1.3 },
  },
  B: {
    title: '1 topic × 1,000 subscribers, 10 messages a tick',
    topics: 1,
    clients: 1_000,
    topicsPerClient: 1,
    messagesPerTick: 10,
    tickMs: 300,
    ticks: 5,
    targets: { 'ws-loop': 0.11, 'socket.io': 0.16, uWebSockets: 1.4 },
  },
  C: {
    title: '100 topics, each of 1,000 clients on 10 of them by lot, 100 messages a tick',
    topics: 100,
    clients: 1_000,
    topicsPerClient: 10,
    messagesPerTick: 100,
    tickMs: 300,
    ticks: 5,
    targets: { 'ws-loop': 0.13, 'socket.io': 0.18, uWebSockets: 1.4 },
  },
  J: {
    title: '1 topic × 250 subscribers, 200 publications a second, each by itself',
    topics: 1,
    clients: 250,
    topicsPerClient: 1,
    messagesPerTick: 1,
    tickMs: 5,
    ticks: 200,
    topic: { flushMs: 25 },
    targets: { uWebSockets: 0.5 },
    p99Ms: 60,
  },
};

/** Every scenario with this share of its clients and ticks; for trying the programs out. */
export function scaled(scenario, share) {
  return {
    ...scenario,
    clients: Math.max(10, Math.round(scenario.clients * share)),
    ticks: Math.max(2, Math.round(scenario.ticks * Math.sqrt(share))),
  };
}

/** Every client's topics: drawn by lot, with the same lot for every peer. */
export function drawTopics({ topics, clients, topicsPerClient }) {
  const random = mulberry32(20_260_101);
  return Array.from({ length: clients }, () => {
    const drawn = new Set();
    while (drawn.size < topicsPerClient) drawn.add(topicName(Math.floor(random() * topics)));
    return [...drawn];
  });
}

export function topicName(index) {
  return `bench/${String(index)}`;
}

/** Deliveries of one round to one client, when nothing is lost. Each topic has the same share of a tick's messages. */
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

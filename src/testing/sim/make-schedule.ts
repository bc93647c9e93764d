import { Random } from './random.js';
import type { BrokerCall } from './sim-network.js';
import type { Manner } from './sim-policy.js';
import type { SimTopic } from './sim-topic.js';
import { stormsOf } from './storms.js';
import {
  type Action,
  anybody,
  type Grant,
  type OddRequest,
  peerCounts,
  type Since,
  type Step,
} from './step.js';

type Make = (random: Random, topic: string) => Action;

const keys = ['a', 'b', 'c'];
const hows: readonly Manner['how'][] = ['now', 'soon', 'late', 'late', 'late', 'throw', 'reject', 'hang'];
const oddities: readonly OddRequest[] = [
  'ping',
  'ping',
  'ping',
  'no-json',
  'bad-topic',
  'bad-since',
  'unknown-type',
  'no-data',
];

/** Delays that make events coincide: many at one moment, some short, few long. */
function shortMs(random: Random): number {
  return random.pick([0, 0, 1, 1, 2, 3, 5, 8, 13, 30, 90]);
}

function manner(random: Random): Manner {
  // Occasionally longer than the server waits.
  return { how: random.pick(hows), ms: random.chance(0.1) ? 250 : shortMs(random) };
}

function grant(random: Random): Grant {
  const rights = random.chance(0.4) ? 2 ** 31 - 1 : random.below(2 ** 31);
  return { rights, ...(random.chance(0.4) && { expiresInMs: 50 + random.below(3_000) }) };
}

function since(random: Random): Since {
  const from = random.weighted([
    [6, 'own'],
    [4, 'top'],
    [1, 'foreign'],
    [1, 'unknown'],
  ] as const);
  return { from, back: random.pick([0, 0, 1, 2, 3, 4, 5, 6, 9, -1, -2]) };
}

function resume(random: Random, topic: string): Action {
  const who = anybody(random);
  const from = since(random);
  // An application never has a position that did not exist.
  const back = who < peerCounts.wire ? from.back : Math.max(0, from.back);
  return { do: 'subscribe', peer: who, topic, since: { ...from, back } };
}

function keyed(random: Random): { readonly key?: string } {
  return random.chance(0.5) ? { key: random.pick(keys) } : {};
}

function broker(random: Random): Action {
  const fails: BrokerCall = random.pick(['subscribe', 'read', 'publish', 'latest']);
  return {
    do: 'broker',
    thereMs: shortMs(random),
    backMs: shortMs(random),
    deliverMs: random.chance(0.5) ? 0 : shortMs(random),
    ...(random.chance(0.15) && { fails }),
  };
}

function mishap(random: Random, topic: string): Action {
  const how = random.pick(['lose', 'lose', 'late', 'twice'] as const);
  return { do: 'mishap', topic, how, count: 1 + random.below(4), ms: shortMs(random) };
}

/** The possible actions and their weights. */
const actions: readonly (readonly [weight: number, make: Make])[] = [
  [24, (random, topic) => ({ do: 'tell', topic, ...keyed(random) })],
  [5, (random, topic) => ({ do: 'publish', peer: anybody(random), topic, ...keyed(random) })],
  [14, (random, topic) => ({ do: 'subscribe', peer: anybody(random), topic })],
  [10, resume],
  [9, (random, topic) => ({ do: 'unsubscribe', peer: anybody(random), topic })],
  [3, (random) => ({ do: 'odd', peer: random.below(peerCounts.wire), what: random.pick(oddities) })],
  [2, (random) => ({ do: 'connect', peer: anybody(random), grant: grant(random) })],
  [
    4,
    (random) => ({
      do: 'auth',
      peer: anybody(random),
      grant: grant(random),
      whose: random.pick(['own', 'own', 'own', 'another', 'nobody']),
    }),
  ],
  [2, (random) => ({ do: 'leave', peer: anybody(random) })],
  [1, (random) => ({ do: 'online', peer: anybody(random) })],
  [
    5,
    (random) => ({ do: 'cut', peer: anybody(random), serverMs: shortMs(random), clientMs: shortMs(random) }),
  ],
  [1.5, (random) => ({ do: 'silence', peer: anybody(random), way: random.pick(['up', 'down']) })],
  [2, (random) => ({ do: 'slow', peer: anybody(random) })],
  [2, (random) => ({ do: 'read', peer: anybody(random) })],
  [2, (random) => ({ do: 'latency', peer: anybody(random), upMs: shortMs(random), downMs: shortMs(random) })],
  [
    2,
    (random) => ({
      do: 'draining',
      peer: peerCounts.wire + random.below(peerCounts.client),
      reconnectAfterMs: shortMs(random),
      windowMs: shortMs(random),
    }),
  ],
  [1, (random) => ({ do: 'disconnect', peer: anybody(random), ...(random.chance(0.5) && { code: 4100 }) })],
  [6, (random, topic) => ({ do: 'rights', topic, manner: manner(random) })],
  [6, (random, topic) => ({ do: 'snapshots', topic, manner: manner(random), behind: random.below(7) })],
  [
    1,
    (random) => ({
      do: 'verify',
      manner: { ...manner(random), how: random.pick(['now', 'late', 'late', 'throw', 'hang']) },
    }),
  ],
  [4, broker],
  [2, (_random, topic) => ({ do: 'lose', topic })],
  [
    1,
    (random) => ({
      do: 'back',
      lostMs: random.pick([0, 0, 1, 5, 30, 200]),
      awayMs: random.pick([0, 1, 10, 100]),
    }),
  ],
  [3, mishap],
  [1, (random, topic) => ({ do: 'suspect', ...(random.chance(0.5) && { topic }) })],
  [1, (random) => ({ do: 'away', ms: random.pick([1, 10, 100, 1_000]) })],
  [4, (random, topic) => ({ do: 'elsewhere', topic, ...keyed(random) })],
  [2, (random) => ({ do: 'busy', ms: shortMs(random) })],
  [0.3, (random) => ({ do: 'stall', ms: 100 + random.below(4_000) })],
  [0.25, () => ({ do: 'drain', timeoutMs: 1_200, windowMs: 800, perSecond: 5 })],
];

/** The schedule of a seed: its steps, each with its time and the peer that it concerns. */
export function makeSchedule(seed: number, declared: readonly SimTopic[]): Step[] {
  const random = new Random(seed);
  const topics = declared.map(({ name }) => name);
  const long = declared.filter(({ history }) => (history?.size ?? 0) > 300).map(({ name }) => name);
  // Few topics and little time make events coincide.
  const inUse = Array.from({ length: 1 + random.below(5) }, () => random.pick(topics));
  const pace = random.pick([0.3, 0.6, 0.9]);
  const steps = Array.from({ length: 15 + random.below(65) }, () => {
    const make = random.weighted(actions);
    const afterMs = random.chance(pace) ? random.pick([0, 0, 0, 1, 1, 2]) : pauseMs(random);
    return { afterMs, ...make(random, random.pick(inUse)) } as Step;
  });
  for (const storm of stormsOf(random, inUse, long)) {
    // At the start nothing else interferes.
    const place = random.chance(0.5) ? 0 : random.below(steps.length);
    steps.splice(place, 0, ...storm);
  }
  return steps;
}

function pauseMs(random: Random): number {
  return random.pick([3, 5, 8, 13, 20, 40, 100, 200, 450, random.chance(0.1) ? 3_000 : 60]);
}

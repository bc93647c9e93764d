import { Random } from './random.js';
import type { BrokerCall } from './sim-broker.js';
import type { Manner } from './sim-policy.js';
import { type Grant, type OddRequest, peerCounts, type Since, type Step } from './step.js';

type Action = Step extends infer S ? (S extends Step ? Omit<S, 'afterMs'> : never) : never;
type Make = (random: Random, topic: string) => Action;

const everybody = peerCounts.wire + peerCounts.client;
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

/** Times that make things meet: many at one moment, some short, few long. */
function shortMs(random: Random): number {
  return random.pick([0, 0, 1, 1, 2, 3, 5, 8, 13, 30, 90]);
}

function peer(random: Random): number {
  return random.below(everybody);
}

function manner(random: Random): Manner {
  // Longer than the server waits, now and then.
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
  const who = peer(random);
  const from = since(random);
  // An application has no position that never was.
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

function flood(random: Random, topic: string): Action {
  const [count, bytes] = random.pick([
    [4, 300_000],
    [30, 1_000],
    [310, 0],
    [1_010, 0],
  ] as const);
  return { do: 'flood', topic, count, bytes };
}

/** What may happen, and how often. */
const actions: readonly (readonly [weight: number, make: Make])[] = [
  [24, (random, topic) => ({ do: 'tell', topic, ...keyed(random) })],
  [5, (random, topic) => ({ do: 'publish', peer: peer(random), topic, ...keyed(random) })],
  [14, (random, topic) => ({ do: 'subscribe', peer: peer(random), topic })],
  [10, resume],
  [9, (random, topic) => ({ do: 'unsubscribe', peer: peer(random), topic })],
  [3, (random) => ({ do: 'odd', peer: random.below(peerCounts.wire), what: random.pick(oddities) })],
  [2, (random) => ({ do: 'connect', peer: peer(random), grant: grant(random) })],
  [
    4,
    (random) => ({
      do: 'auth',
      peer: peer(random),
      grant: grant(random),
      whose: random.pick(['own', 'own', 'own', 'another', 'nobody']),
    }),
  ],
  [2, (random) => ({ do: 'leave', peer: peer(random) })],
  [1, (random) => ({ do: 'online', peer: peer(random) })],
  [5, (random) => ({ do: 'cut', peer: peer(random), serverMs: shortMs(random), clientMs: shortMs(random) })],
  [1.5, (random) => ({ do: 'silence', peer: peer(random), way: random.pick(['up', 'down']) })],
  [2, (random) => ({ do: 'slow', peer: peer(random) })],
  [2, (random) => ({ do: 'read', peer: peer(random) })],
  [2, (random) => ({ do: 'latency', peer: peer(random), upMs: shortMs(random), downMs: shortMs(random) })],
  [1, (random) => ({ do: 'disconnect', peer: peer(random), ...(random.chance(0.5) && { code: 4100 }) })],
  [6, (random, topic) => ({ do: 'rights', topic, manner: manner(random) })],
  [6, (random, topic) => ({ do: 'snapshots', topic, manner: manner(random), behind: random.below(7) })],
  [
    1,
    (random) => ({
      do: 'verify',
      manner: { ...manner(random), how: random.pick(['now', 'late', 'late', 'throw']) },
    }),
  ],
  [4, broker],
  [3, (_random, topic) => ({ do: 'lose', topic })],
  [2, (random) => ({ do: 'busy', ms: shortMs(random) })],
  [0.3, (random) => ({ do: 'stall', ms: 100 + random.below(4_000) })],
  [0.12, flood],
  [0.25, () => ({ do: 'drain', timeoutMs: 300 })],
];

/** The schedule of a seed: what happens, to whom, and when. */
export function makeSchedule(seed: number, topics: readonly string[]): Step[] {
  const random = new Random(seed);
  // Few topics and little time make things meet.
  const inUse = Array.from({ length: 1 + random.below(4) }, () => random.pick(topics));
  const length = 15 + random.below(65);
  const pace = random.pick([0.3, 0.6, 0.9]);
  return Array.from({ length }, () => {
    const make = random.weighted(actions);
    const afterMs = random.chance(pace) ? random.pick([0, 0, 0, 1, 1, 2]) : pauseMs(random);
    return { afterMs, ...make(random, random.pick(inUse)) } as Step;
  });
}

function pauseMs(random: Random): number {
  return random.pick([3, 5, 8, 13, 20, 40, 100, 200, 450, random.chance(0.1) ? 3_000 : 60]);
}

import type { Random } from './random.js';
import { type Action, anybody, peerCounts, type Step } from './step.js';

/**
 * Share of schedules with each kind of storm. One of the first two takes as long as twenty
 * schedules without.
 */
const chance = 0.05;

/**
 * Rare events that only matter in combination, each as a series of steps.
 *
 * @param long - topics with a long history
 */
export function stormsOf(random: Random, topics: readonly string[], long: readonly string[]): Step[][] {
  const storms: Step[][] = [];
  if (random.chance(chance)) {
    const far = random.chance(0.5) && long.length > 0;
    storms.push(far ? farBehind(random, random.pick(long)) : overflow(random, random.pick(topics)));
  }
  if (random.chance(chance)) storms.push(lossBetween(random, random.pick(topics)));
  if (random.chance(chance)) storms.push(outage(random, random.pick(topics), random.pick(topics)));
  if (random.chance(2 * chance)) storms.push(lossTwice(random, random.pick(topics)));
  if (random.chance(chance / 2)) storms.push(floodBehindGap(random, random.pick(topics)));
  if (random.chance(chance)) storms.push(lateAnswer(random, random.pick(topics)));
  return storms;
}

/** More than one recovery may send, more than may be held for a subscribe, or just a lot. */
function flood(random: Random, topic: string, least: number): Action {
  const sizes = [
    { count: 30, bytes: 1_000 },
    { count: 310, bytes: 0 },
    { count: 1_010, bytes: 0 },
    { count: 4, bytes: 300_000 },
  ];
  return { do: 'flood', topic, ...random.pick(sizes.slice(least)) };
}

/** Too many publications while a subscribe is pending. */
function overflow(random: Random, topic: string): Step[] {
  const manner = { how: 'late', ms: 10 } as const;
  const again: Step[] = random.chance(0.5)
    ? [{ afterMs: random.below(60), ...flood(random, topic, 2) } as Step]
    : [];
  return [
    { afterMs: 5, do: 'broker', thereMs: 2, backMs: 25, deliverMs: 0 },
    { afterMs: 0, do: 'snapshots', topic, manner, behind: 0 },
    { afterMs: 0, do: 'subscribe', peer: anybody(random), topic },
    { afterMs: 0, do: 'busy', ms: random.pick([0, 100]) },
    { afterMs: random.below(60), ...flood(random, topic, 2) } as Step,
    ...again,
    // Checks how much is held now.
    { afterMs: random.below(40), do: 'tell', topic },
  ];
}

/** Too many publications while a peer is away. */
function farBehind(random: Random, topic: string): Step[] {
  const who = anybody(random);
  return [
    { afterMs: 0, do: 'subscribe', peer: who, topic },
    { afterMs: 0, do: 'tell', topic },
    { afterMs: 100, do: 'cut', peer: who, serverMs: 0, clientMs: 1 },
    { afterMs: 2, ...flood(random, topic, 0) } as Step,
    { afterMs: 5, do: 'subscribe', peer: who, topic, since: { from: 'own', back: 0 } },
  ];
}

/** A stream lost after its last subscriber left and before the next one joined. */
function lossBetween(random: Random, topic: string): Step[] {
  const [one, other] = [anybody(random), anybody(random)];
  return [
    { afterMs: 5, do: 'subscribe', peer: one, topic },
    { afterMs: 0, do: 'subscribe', peer: other, topic: 'nothing' },
    { afterMs: 40, do: 'broker', thereMs: 20, backMs: 0, deliverMs: 0 },
    { afterMs: 0, do: 'tell', topic },
    { afterMs: 0, do: 'tell', topic },
    { afterMs: random.below(10), do: 'unsubscribe', peer: one, topic },
    { afterMs: random.below(15), do: 'subscribe', peer: other, topic },
    { afterMs: 8 + random.below(15), do: 'lose', topic },
  ];
}

/** A broker that is unavailable while other instances publish. */
function outage(random: Random, topic: string, other: string): Step[] {
  const [one, two] = [anybody(random), anybody(random)];
  const elsewhere: Step[] = Array.from({ length: 1 + random.below(8) }, () => ({
    afterMs: random.below(5),
    do: 'elsewhere',
    topic: random.pick([topic, topic, other]),
  }));
  return [
    { afterMs: 5, do: 'subscribe', peer: one, topic },
    { afterMs: 0, do: 'subscribe', peer: two, topic: other },
    { afterMs: 20, do: 'away', ms: 10 + random.below(60) },
    ...elsewhere,
    { afterMs: random.below(30), do: 'subscribe', peer: two, topic },
    { afterMs: random.below(60), do: 'tell', topic },
  ];
}

/** A second loss while a snapshot for the first is in preparation. */
function lossTwice(random: Random, topic: string): Step[] {
  const manner = { how: 'late', ms: 10 + random.below(20) } as const;
  const loss = { do: 'mishap', topic, how: 'lose', count: 1 + random.below(6), ms: 0 } as const;
  const told: Step = { afterMs: 0, do: 'tell', topic };
  return [
    { afterMs: 0, do: 'subscribe', peer: anybody(random), topic },
    { afterMs: 10, do: 'subscribe', peer: anybody(random), topic },
    { afterMs: 10, do: 'snapshots', topic, manner, behind: 0 },
    { afterMs: 0, ...loss },
    ...Array.from({ length: 8 }, () => told),
    { afterMs: random.below(20), do: 'unsubscribe', peer: anybody(random), topic },
    { afterMs: random.below(10), ...(random.chance(0.3) ? ({ do: 'lose', topic } as const) : loss) },
    ...Array.from({ length: 1 + random.below(8) }, () => told),
    { afterMs: random.below(10), do: 'subscribe', peer: anybody(random), topic },
  ];
}

/** Too many publications behind a gap, while the broker is read to fill it. */
function floodBehindGap(random: Random, topic: string): Step[] {
  return [
    { afterMs: 0, do: 'subscribe', peer: anybody(random), topic },
    { afterMs: 20, do: 'broker', thereMs: 10, backMs: 20, deliverMs: 0 },
    { afterMs: 0, do: 'mishap', topic, how: 'lose', count: 1, ms: 0 },
    { afterMs: 0, do: 'tell', topic },
    { afterMs: 10, do: 'tell', topic },
    { afterMs: random.below(20), ...flood(random, topic, 2) } as Step,
    { afterMs: random.below(40), ...flood(random, topic, 0) } as Step,
  ];
}

/** An authorization that takes longer than the server waits, with a new credential by then. */
function lateAnswer(random: Random, topic: string): Step[] {
  const peer = random.below(peerCounts.wire);
  const auth = (afterMs: number, rights: number): Step => ({
    afterMs,
    do: 'auth',
    peer,
    grant: { rights },
    whose: 'own',
  });
  return [
    auth(5, 2 ** 31 - 1),
    { afterMs: 5, do: 'rights', topic, manner: { how: 'late', ms: 170 + random.below(100) } },
    { afterMs: 0, do: 'subscribe', peer, topic },
    // The server waits for 300 ms.
    auth(random.pick([250, 310, 330]), random.chance(0.7) ? 0 : 2 ** 31 - 1),
    { afterMs: random.below(80), do: 'subscribe', peer, topic },
    { afterMs: 400, do: 'subscribe', peer, topic },
  ];
}

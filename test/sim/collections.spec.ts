import { describe, expect, it } from 'vitest';
import { simLimits } from '../../src/testing/sim/server-side.js';
import { simulate } from '../../src/testing/sim/simulate.js';
import type { MakeTopics } from '../../src/testing/sim/sim-topic.js';
import { KeyedView } from '../../src/client/collection.js';
import type { TopicMessage } from '../../src/client/index.js';
import type { SharedFrame } from '../../src/core/frame/shared-frame.js';
import type { SnapshotPages } from '../../src/core/frame/pages.js';
import { Locals } from '../../src/client/locals.js';
import { lists } from '../../src/client/entry-list.js';
import { Subscription } from '../../src/core/fanout/subscription.js';
import { Topic } from '../../src/core/fanout/topic.js';
import type { LatestReading } from '../../src/core/ports/broker.js';
import { FreshStart } from '../../src/core/stream/fresh-start.js';
import { Latest, latestLimits } from '../../src/core/stream/latest.js';
import { Pager } from '../../src/core/outbound/pager.js';
import type { Entry, SubscribedMessage } from '../../src/protocol/messages.js';
import type { Position } from '../../src/protocol/position.js';
import { disable, replace } from './plant.js';
import { thorough } from '../support/thorough.js';

const runs = Number(process.env['SIM_RUNS'] ?? (thorough ? 10_000 : 500));
const limitedRuns = Math.ceil(runs / 5);

// A client reads three topics, and the answers with lists and limits are longer than others.
Object.assign(simLimits, { backPressureThresholdBytes: 800 });

const bounds = { maxBytes: 1_000_000, ttlMs: 60_000 } as const;
const keyed = { latest: 'last-per-key', removes: true, collected: true } as const;

const topics: MakeTopics = () => [
  { ...keyed, name: 'keys' },
  { ...keyed, name: 'kept', history: { ...bounds, size: 5 } },
  { ...keyed, name: 'merged', history: { ...bounds, size: 50 }, delivery: { slow: 'conflate' } },
  { ...keyed, name: 'paced', history: { ...bounds, size: 20 }, delivery: { maxRate: 8 } },
  { ...keyed, name: 'skipped', history: { ...bounds, size: 8 }, delivery: { slow: 'skip' } },
  { ...keyed, name: 'windows', delivery: { flushMs: 20 } },
  ...aging(),
];

/** Topics whose keys leave by themselves: soon, or so that some are left in the end. */
function aging() {
  return [
    { ...keyed, name: 'brief', maxKeyAgeMs: 400, history: { ...bounds, size: 5 } },
    { ...keyed, name: 'aged', maxKeyAgeMs: 10_000 },
    { ...keyed, name: 'aged/kept', maxKeyAgeMs: 10_000, history: { ...bounds, size: 20 } },
    { ...keyed, name: 'aged/skipped', maxKeyAgeMs: 9_000, delivery: { slow: 'skip' } },
  ] as const;
}

/** Topics in which each publication reaches a client by itself. */
const unmerged: MakeTopics = () => [
  { ...keyed, name: 'keys' },
  { ...keyed, name: 'kept', history: { ...bounds, size: 5 } },
  { ...keyed, name: 'windows', delivery: { flushMs: 20 } },
  ...aging(),
];

type Take = [message: TopicMessage];

/** Lets topics keep so few keys for the length of a test. */
async function withLimits<T>(
  limits: Partial<Record<keyof typeof latestLimits, number>>,
  run: () => Promise<T>,
) {
  const before = { ...latestLimits };
  Object.assign(latestLimits, limits);
  try {
    return await run();
  } finally {
    Object.assign(latestLimits, before);
  }
}

/** Mistakes in a collection. Each gives the message that it takes instead, or none. */
const mistakes: Readonly<
  Record<string, (view: KeyedView<unknown>, message: TopicMessage) => TopicMessage | undefined>
> = {
  'a removal is passed over': (_view, message) =>
    message.type === 'event' && message.removed === true ? undefined : message,
  'keys that are gone stay after a loss': (view, message) =>
    message.type === 'lost' && 'snapshot' in message
      ? { ...message, snapshot: { ...Object.fromEntries(view), ...(message.snapshot as object) } }
      : message,
  'a snapshot after a loss is passed over': (_view, message) =>
    message.type === 'lost' ? undefined : message,
  'a new stream without publications leaves the old keys': (_view, message) =>
    message.type === 'lost' && message.position.offset === 0 ? undefined : message,
  'a snapshot loses a key': (_view, message) => {
    if (message.type === 'event' || message.snapshot === undefined) return message;
    const { a: _gone, ...snapshot } = message.snapshot as Record<string, unknown>;
    return { ...message, snapshot };
  },
};

function plant(
  mistake: (view: KeyedView<unknown>, message: TopicMessage) => TopicMessage | undefined,
): () => void {
  return replace<KeyedView<unknown>, Take, boolean | undefined>(
    KeyedView,
    'take',
    (take) =>
      function (message) {
        const instead = mistake(this, message);
        return instead === undefined ? undefined : take.call(this, instead);
      },
  );
}

/** Mistakes with the pages of a snapshot. */
const mistakesWithPages: Readonly<Record<string, () => () => void>> = {
  'the first page is sent twice, and the last one never': () =>
    replace<Pager, [], SharedFrame | undefined>(Pager, 'take', (take) => {
      const first = new WeakMap<Pager, SharedFrame>();
      return function () {
        const frame = take.call(this);
        const before = first.get(this);
        if (frame !== undefined) first.set(this, frame);
        return frame && (before ?? frame);
      };
    }),
  'a page of the state after a loss is missing': () => {
    let isAfterLoss = false;
    const takeBack = replace<FreshStart, unknown[], void>(
      FreshStart,
      'tell',
      (tell) =>
        function (...all) {
          isAfterLoss = true;
          tell.apply(this, all);
          isAfterLoss = false;
        },
    );
    const andBack = replace<Subscription, Parameters<Subscription['send']>, void>(
      Subscription,
      'send',
      (send) =>
        function (pages, observer) {
          const rest = { count: pages.count - 1, frame: (at: number) => pages.frame(at + 1) };
          send.call(this, isAfterLoss ? (rest as SnapshotPages) : pages, observer);
        },
    );
    return () => {
      andBack();
      takeBack();
    };
  },
};

/** The first rule that a seed breaks. */
async function firstFault(made: MakeTopics = topics): Promise<string | undefined> {
  const { failure } = await simulate({ seed: 1, runs: 300, topics: made });
  return failure?.fault.rule;
}

/** Changes each list of entries that a collection begins with. */
function plantInLists(change: (start: SubscribedMessage, list: readonly Entry[]) => object): () => void {
  return plant((_view, message) => {
    const start = message.type !== 'event' && lists.get(message.snapshot as object);
    if (start)
      lists.set(message.snapshot as object, { ...start, ...change(start, start.snapshot as Entry[]) });
    return message;
  });
}

/** Mistakes with keys that age or are dropped. [L-6.11] */
const mistakesOfKeys: readonly (readonly [
  name: string,
  limits: { keys?: number; bytes?: number },
  () => () => void,
])[] = [
  ['keys do not age', {}, () => disable(KeyedView, 'trim')],
  [
    'a key of a snapshot counts as new',
    {},
    () => plantInLists((_start, list) => ({ snapshot: list.map(([key, data]) => [key, data, 0]) })),
  ],
  [
    'a key of a snapshot counts as older than it is',
    {},
    () =>
      plantInLists((_start, list) => ({
        snapshot: list.map(([key, data, ageMs = 0]) => [key, data, 2 * ageMs + 1_000]),
      })),
  ],
  [
    'a list says that all keys are new',
    {},
    () =>
      replace<Latest, [], Omit<LatestReading, 'top'>>(
        Latest,
        'reading',
        (reading) =>
          function (...args) {
            const { publications, agesMs } = reading.apply(this, args);
            return { publications, ...(agesMs && { agesMs: agesMs.map(() => 0) }) };
          },
      ),
  ],
  [
    'a fresh start after a loss has an object in place of the list',
    {},
    () =>
      replace<Topic, [subscription: Subscription, offset: number], void>(
        Topic,
        'resume',
        (resume) =>
          function (subscription, offset) {
            Object.assign(subscription, { entries: false });
            resume.call(this, subscription, offset);
          },
      ),
  ],
  [
    'a collection begins with the answer to another subscriber',
    {},
    () =>
      replace<Locals, [start: SubscribedMessage, since: Position | undefined], void>(
        Locals,
        'startOver',
        (startOver) =>
          function (start, since) {
            startOver.apply(this, [start, since, true] as never);
          },
      ),
  ],
  ['no key is dropped for the limit of keys', { keys: 2 }, () => plantInLists(without('maxKeys'))],
  ['no key is dropped for the limit of bytes', { bytes: 18 }, () => plantInLists(without('maxBytes'))],
  [
    'the order of the keys is lost',
    { keys: 2 },
    () => plantInLists((_start, list) => ({ snapshot: list.toReversed() })),
  ],
];

function without(limit: 'maxKeys' | 'maxBytes') {
  return ({ entries }: SubscribedMessage): object => ({ entries: { ...entries, [limit]: Infinity } });
}

describe('Collections in the simulation', () => {
  it(
    `[L-6.5] [L-6.6] collections equal the state of their topics in ${String(runs)} seeds`,
    { timeout: Math.max(60_000, runs * 200) },
    async () => {
      const { failure, deliveries } = await simulate({ seed: 1, runs, topics });
      expect(failure?.report).toBeUndefined();
      expect(deliveries).toBeGreaterThan(runs);
    },
  );

  it.each([{ keys: 2 }, { bytes: 18 }])(
    `[L-6.11] collections equal the state of their topics in ${String(limitedRuns)} seeds where topics keep at most %o`,
    { timeout: Math.max(60_000, limitedRuns * 200) },
    async (limits) => {
      const { failure } = await withLimits(limits, () =>
        simulate({ seed: 1, runs: limitedRuns, topics: unmerged }),
      );
      expect(failure?.report).toBeUndefined();
    },
  );

  it.each(Object.entries(mistakes))(
    'the simulation finds the planted mistake: %s',
    { timeout: 120_000 },
    async (_name, mistake) => {
      const takeBack = plant(mistake);
      try {
        expect(['application', 'behind']).toContain(await firstFault());
      } finally {
        takeBack();
      }
    },
  );

  it.each(mistakesOfKeys)(
    '[L-6.11] the simulation finds the planted mistake: %s',
    { timeout: 120_000 },
    async (_name, limits, plantIt) => {
      const takeBack = plantIt();
      try {
        const isLimited = Object.keys(limits).length > 0;
        expect(await withLimits(limits, () => firstFault(isLimited ? unmerged : aging))).toBeDefined();
      } finally {
        takeBack();
      }
    },
  );

  it.each(Object.entries(mistakesWithPages))(
    'the simulation finds the planted mistake with pages: %s',
    { timeout: 120_000 },
    async (_name, plantIt) => {
      const takeBack = plantIt();
      try {
        expect(await firstFault()).toBeDefined();
      } finally {
        takeBack();
      }
    },
  );

  it('the simulation finds the planted mistake: a changed key is not reported', async () => {
    const takeBack = replace<object, [], object>(KeyedView, 'change', () => () => ({ keys: new Set() }));
    expect(await firstFault()).toBe('application');
    takeBack();
  });
});

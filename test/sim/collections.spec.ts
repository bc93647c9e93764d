import { describe, expect, it } from 'vitest';
import { simulate } from '../../src/testing/sim/simulate.js';
import type { MakeTopics } from '../../src/testing/sim/sim-topic.js';
import { KeyedView } from '../../src/client/collection.js';
import type { TopicMessage } from '../../src/client/index.js';
import type { SharedFrame } from '../../src/core/frame/shared-frame.js';
import type { SnapshotPages } from '../../src/core/frame/pages.js';
import { Subscription } from '../../src/core/fanout/subscription.js';
import { FreshStart } from '../../src/core/stream/fresh-start.js';
import { Pager } from '../../src/core/outbound/pager.js';
import { replace } from './plant.js';
import { thorough } from '../support/thorough.js';

const runs = Number(process.env['SIM_RUNS'] ?? (thorough ? 10_000 : 500));

const bounds = { maxBytes: 1_000_000, ttlMs: 60_000 } as const;
const keyed = { latest: 'last-per-key', removes: true, collected: true } as const;

const topics: MakeTopics = () => [
  { ...keyed, name: 'keys' },
  { ...keyed, name: 'kept', history: { ...bounds, size: 5 } },
  { ...keyed, name: 'merged', history: { ...bounds, size: 50 }, delivery: { slow: 'conflate' } },
  { ...keyed, name: 'paced', history: { ...bounds, size: 20 }, delivery: { maxRate: 8 } },
  { ...keyed, name: 'skipped', history: { ...bounds, size: 8 }, delivery: { slow: 'skip' } },
  { ...keyed, name: 'windows', delivery: { flushMs: 20 } },
];

type Take = [message: TopicMessage];

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
async function firstFault(): Promise<string | undefined> {
  const { failure } = await simulate({
    seed: 1,
    runs: 300,
    topics: (store) => topics(store),
  });
  return failure?.fault.rule;
}

describe('Collections in the simulation', () => {
  it(
    `[L-6.5] [L-6.6] collections equal the state of their topics in ${String(runs)} seeds`,
    { timeout: Math.max(60_000, runs * 60) },
    async () => {
      const { failure, deliveries } = await simulate({ seed: 1, runs, topics });
      expect(failure?.report).toBeUndefined();
      expect(deliveries).toBeGreaterThan(runs);
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

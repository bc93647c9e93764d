import assert from 'node:assert/strict';
import type { BrokerCheck } from './check.js';
import { numbers } from './instance.js';
import { all, plenty } from './world.js';

/** Publications that store nothing because they are duplicates or stale. */
export const suppressionChecks: readonly BrokerCheck[] = [
  {
    title: 'a repeated idempotency key stores one publication and returns the position of the first',
    async run(world) {
      const [one, two] = await world.startTwo();
      await two.broker.subscribe('t');
      const options = { history: plenty, idempotencyKey: 'order 7' };
      const first = await one.broker.publish('t', '1', options);
      assert.equal(first.suppressed, undefined);
      const after = await one.broker.publish('t', '2', { history: plenty });
      for (const { broker } of [one, two]) {
        assert.deepEqual(await broker.publish('t', '"again"', options), {
          ...first,
          suppressed: 'duplicate',
        });
      }
      assert.deepEqual(await one.top('t'), after);
      const last = await one.broker.publish('t', '3', { history: plenty, idempotencyKey: 'order 8' });
      assert.equal(last.offset, 3);
      await two.reached('t', last);
      assert.deepEqual(
        two.of('t').map(({ data }) => data),
        ['1', '2', '3'],
      );
    },
  },
  {
    title: 'concurrent publications with the same idempotency key store one',
    async run(world) {
      const [one, two] = await world.startTwo();
      for (let round = 0; round < 5; round++) {
        const topic = `t/${String(round)}`;
        const { epoch } = await one.top(topic);
        const places = await Promise.all(
          numbers(1, 10).map((text, i) =>
            (i % 2 ? one : two).broker.publish(topic, text, { history: plenty, idempotencyKey: 'same' }),
          ),
        );
        assert.deepEqual(new Set(places.map(({ offset }) => offset)), new Set([1]));
        assert.equal(places.filter(({ suppressed }) => suppressed === undefined).length, 1);
        assert.equal((await one.missed(topic, { epoch, offset: 0 }, all))?.length, 1);
      }
    },
  },
  {
    title: 'an idempotency key applies to its own topic only, whatever it contains',
    async run(world) {
      const { broker } = await world.start();
      for (const idempotencyKey of ['k', 'k:k', ' ', 'a:b', '__proto__', '\r\n🚋', 'x'.repeat(128)]) {
        for (const topic of ['t', 't:k', 'k']) {
          assert.equal((await broker.publish(topic, '1', { idempotencyKey })).suppressed, undefined);
        }
      }
      assert.equal((await broker.publish('t', '1', { idempotencyKey: 'k' })).offset, 1);
    },
  },
  {
    title: 'a stale version without a key stores nothing and returns the end of the topic',
    async run(world) {
      const [one, two] = await world.startTwo();
      const answers = [];
      for (const [i, version] of [5, 5, undefined, 4, 6, -1, 5, 7].entries()) {
        const { broker } = i % 2 ? one : two;
        const { offset, suppressed } = await broker.publish('t', String(version ?? 0), {
          history: plenty,
          ...(version !== undefined && { version }),
        });
        answers.push(`${String(version)}: ${String(offset)} ${suppressed ?? ''}`.trim());
      }
      assert.deepEqual(answers, [
        '5: 1',
        '5: 1 stale',
        'undefined: 2',
        '4: 2 stale',
        '6: 3',
        '-1: 3 stale',
        '5: 3 stale',
        '7: 4',
      ]);
      assert.deepEqual((await two.top('t')).offset, 4);
      assert.equal((await one.broker.publish('other', '1', { version: 1 })).suppressed, undefined);
    },
  },
  {
    title: 'versions only rise among concurrent publications',
    async run(world) {
      const [one, two] = await world.startTwo();
      const { epoch } = await one.top('t');
      const versions = numbers(1, 40).toSorted((a, b) => ((Number(a) * 17) % 41) - ((Number(b) * 17) % 41));
      const places = await Promise.all(
        versions.map((version, i) =>
          (i % 2 ? one : two).broker.publish('t', version, { history: plenty, version: Number(version) }),
        ),
      );
      const stored = (await one.missed('t', { epoch, offset: 0 }, all)) ?? [];
      assert.deepEqual(
        stored,
        stored.toSorted((a, b) => Number(a) - Number(b)),
      );
      assert.equal(stored.at(-1), '40');
      assert.equal(places.filter(({ suppressed }) => suppressed === undefined).length, stored.length);
    },
  },
  {
    title: 'a version is compared only with versions of its own key',
    async run(world) {
      const [one, two] = await world.startTwo();
      const answers = [];
      for (const [i, [key, version]] of (
        [
          ['a', 9_000],
          ['b', 5],
          ['a', 9_000],
          [undefined, 1],
          ['b', 6],
          ['a', 8_999],
          ['__proto__', -3],
          [undefined, 1],
          ['b', undefined],
          ['b', 6],
          ['b', 7],
          ['__proto__', -3],
        ] as const
      ).entries()) {
        const { broker } = i % 2 ? one : two;
        const { offset, suppressed } = await broker.publish('t', '1', {
          history: plenty,
          ...(key !== undefined && { key }),
          ...(version !== undefined && { version }),
        });
        answers.push(`${key ?? ''} ${String(version)}: ${String(offset)} ${suppressed ?? ''}`.trim());
      }
      assert.deepEqual(answers, [
        'a 9000: 1',
        'b 5: 2',
        'a 9000: 2 stale',
        '1: 3',
        'b 6: 4',
        'a 8999: 4 stale',
        '__proto__ -3: 5',
        '1: 5 stale',
        'b undefined: 6',
        'b 6: 6 stale',
        'b 7: 7',
        '__proto__ -3: 7 stale',
      ]);
      assert.equal((await one.broker.publish('other', '1', { key: 'a', version: 1 })).suppressed, undefined);
    },
  },
  {
    title: 'versions of each key only rise among concurrent publications',
    async run(world) {
      const [one, two] = await world.startTwo();
      const { epoch } = await one.top('t');
      const wanted = ['a', 'b'].flatMap((key) => numbers(1, 40).map((version) => [key, version] as const));
      const mixed = wanted.toSorted(([, x], [, y]) => (Number(x) ^ 1) - (Number(y) ^ 1));
      await Promise.all(
        mixed.map(([key, version], i) =>
          (i % 2 ? one : two).broker.publish('t', version, {
            history: plenty,
            key,
            version: Number(version),
          }),
        ),
      );
      const { missed = [] } = await one.broker.read('t', { epoch, offset: 0 }, all);
      for (const each of ['a', 'b']) {
        const stored = missed.filter(({ key }) => key === each).map(({ data }) => Number(data));
        assert.deepEqual(
          stored,
          stored.toSorted((a, b) => a - b),
        );
        assert.equal(stored.at(-1), 40);
      }
    },
  },
  {
    title: 'a publication that is both a duplicate and stale counts as a duplicate',
    async run(world) {
      const { broker } = await world.start();
      const options = { idempotencyKey: 'k', version: 1 };
      const { epoch } = await broker.publish('t', '1', options);
      await broker.publish('t', '2', { version: 2 });
      const again = await broker.publish('t', '1', options);
      assert.deepEqual(again, { epoch, offset: 1, suppressed: 'duplicate' });
    },
  },
];

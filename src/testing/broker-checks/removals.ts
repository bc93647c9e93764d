import assert from 'node:assert/strict';
import { type BrokerPublishOptions, removalData } from '../../core/ports/broker.js';
import type { BrokerCheck } from './check.js';
import type { Instance } from './instance.js';
import { all, plenty } from './world.js';

const options = (key: string, more: BrokerPublishOptions = {}): BrokerPublishOptions => ({
  history: plenty,
  latest: 'last-per-key',
  key,
  ...more,
});

const put = ({ broker }: Instance, key: string, data: string, version?: number) =>
  broker.publish('t', data, options(key, version === undefined ? {} : { version }));

const remove = ({ broker }: Instance, key: string, version?: number) =>
  broker.publish('t', removalData, options(key, { remove: true, ...(version !== undefined && { version }) }));

/** The latest value of each key. */
async function state({ broker }: Instance, maxKeyAgeMs?: number): Promise<Record<string, string>> {
  const { publications } = await broker.latest('t', maxKeyAgeMs);
  return Object.fromEntries(publications.map(({ key, data }) => [key, data]));
}

/** Keys that are removed or expire. [L-4.11] [L-6.6] [L-6.7] */
export const removalChecks: readonly BrokerCheck[] = [
  {
    title: 'a removal is delivered and recovered as a removal, in its place',
    async run(world) {
      const [one, two] = await world.startTwo();
      await one.broker.subscribe('t');
      await two.broker.subscribe('t');
      const first = await put(one, 'a', '1');
      await remove(two, 'a');
      const last = await put(one, 'a', 'null');
      const expected = [
        { offset: 1, data: '1', key: 'a' },
        { offset: 2, data: removalData, key: 'a', removed: true },
        { offset: 3, data: 'null', key: 'a' },
      ];
      const { missed } = await two.broker.read('t', { epoch: first.epoch, offset: 0 }, all);
      assert.deepEqual(missed, expected);
      for (const instance of [one, two]) {
        await instance.reached('t', last);
        assert.deepEqual(
          instance.of('t').map(({ topic: _topic, epoch: _epoch, ...publication }) => publication),
          expected,
        );
      }
    },
  },
  {
    title: 'a removed key has no latest value until it is published again',
    async run(world) {
      const [one, two] = await world.startTwo();
      for (const key of ['a', 'b', 'c']) await put(one, key, '1');
      await remove(two, 'b');
      await remove(one, 'never there');
      for (const instance of [one, two]) assert.deepEqual(await state(instance), { a: '1', c: '1' });
      await put(one, 'b', '2');
      assert.deepEqual(await state(two), { a: '1', c: '1', b: '2' });
      for (const key of ['a', 'b', 'c']) await remove(two, key);
      assert.deepEqual(await state(one), {});
      const top = await put(two, 'c', '3');
      assert.deepEqual(
        [await state(one), await one.top('t')],
        [{ c: '3' }, { epoch: top.epoch, offset: 10 }],
      );
    },
  },
  {
    title: 'a topic whose last publication is a removal has no latest value',
    async run(world) {
      const [one, two] = await world.startTwo();
      const last = { key: 'a', latest: 'last' } as const;
      await one.broker.publish('t', '1', last);
      await two.broker.publish('t', removalData, { ...last, remove: true });
      assert.deepEqual((await one.broker.latest('t')).publications, []);
      await one.broker.publish('t', '2', last);
      assert.deepEqual((await two.broker.latest('t')).publications, [{ offset: 3, data: '2', key: 'a' }]);
    },
  },
  {
    title: 'a removed key keeps its version, so an older publication does not bring it back',
    async run(world) {
      const [one, two] = await world.startTwo();
      await put(one, 'a', '1', 10);
      await put(one, 'b', '1', 10);
      assert.equal((await remove(two, 'a', 9)).suppressed, 'stale');
      assert.deepEqual(await state(one), { a: '1', b: '1' });
      await remove(two, 'a', 20);
      await remove(one, 'b');
      for (const instance of [one, two]) {
        assert.equal((await put(instance, 'a', '"late"', 19)).suppressed, 'stale');
        assert.equal((await put(instance, 'a', '"late"', 20)).suppressed, 'stale');
        assert.equal((await put(instance, 'b', '"late"', 10)).suppressed, 'stale');
      }
      assert.deepEqual(await state(two), {});
      assert.equal((await put(one, 'a', '2', 21)).suppressed, undefined);
      assert.deepEqual(await state(two), { a: '2' });
    },
  },
  {
    title: 'many removed keys keep their versions, however much is published after them',
    async run(world) {
      const [one, two] = await world.startTwo();
      const keys = Array.from({ length: 400 }, (_, i) => `k${String(i)}`);
      for (let at = 0; at < keys.length; at += 50) {
        const some = keys.slice(at, at + 50);
        await Promise.all(some.map((key) => put(one, key, '1', 1)));
        await Promise.all(some.map((key) => remove(one, key, 2)));
      }
      for (let n = 1; n <= 900; n += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, i) => put(two, 'other', String(i), n + i)));
      }
      const late = await Promise.all(keys.map((key, i) => put(i % 2 ? one : two, key, '"late"', 1)));
      assert.deepEqual(new Set(late.map(({ suppressed }) => suppressed)), new Set(['stale']));
      assert.deepEqual(Object.keys(await state(one)), ['other']);
    },
  },
  {
    title: 'keys older than the requested age are left out of the latest values',
    async run(world) {
      const [one, two] = await world.startTwo();
      await put(one, 'old', '1');
      await put(one, 'new', '1');
      await world.pass(1_500);
      await put(two, 'new', '2');
      for (const instance of [one, two]) {
        assert.deepEqual(await state(instance, 1_000), { new: '2' });
        assert.deepEqual(await state(instance, 600_000), { old: '1', new: '2' });
        assert.deepEqual(await state(instance), { old: '1', new: '2' });
      }
      await put(one, 'old', '3');
      assert.deepEqual(await state(two, 1_000), { new: '2', old: '3' });
    },
  },
  {
    title:
      'the latest values are in the order of their publications, with the age of each if an age is requested',
    async run(world) {
      const [one, two] = await world.startTwo();
      for (const key of ['a', '7', 'b']) await put(one, key, '1');
      await world.pass(1_500);
      await put(two, 'a', '2');
      for (const { broker } of [one, two]) {
        const { publications, agesMs } = await broker.latest('t', 600_000);
        assert.deepEqual(
          publications.map(({ key }) => key),
          ['7', 'b', 'a'],
        );
        assert.equal(agesMs?.length, 3);
        const [seven = NaN, b = NaN, a = NaN] = agesMs;
        assert.ok(seven >= 1_400 && b >= 1_400 && seven < 60_000, `ages ${agesMs.join()}`);
        assert.ok(a >= 0 && a < seven - 1_000, `ages ${agesMs.join()}`);
        assert.equal((await broker.latest('t')).agesMs, undefined);
      }
    },
  },
];

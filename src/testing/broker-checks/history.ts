import assert from 'node:assert/strict';
import type { HistoryRules } from '../../core/ports/broker.js';
import type { BrokerCheck } from './check.js';
import { numbers } from './instance.js';
import { all, plenty } from './world.js';

const tenBytes = (n: number): string => JSON.stringify(String(n).padStart(8, '0'));

/** Limits of the history, and recovery of everything or nothing. [L-5.1] [L-5.3] */
export const historyChecks: readonly BrokerCheck[] = [
  {
    title: 'every instance recovers exactly the publications after a position',
    async run(world) {
      const instances = await world.startTwo();
      const { epoch } = await instances[0].top('t');
      await instances[0].publishMany('t', 20, { history: plenty });
      for (const instance of instances) {
        for (const offset of [0, 1, 13, 19, 20]) {
          assert.deepEqual(await instance.missed('t', { epoch, offset }, all), numbers(offset + 1, 20));
        }
        const { top, missed } = await instance.broker.read('t', { epoch, offset: 18 }, all);
        assert.deepEqual(top, { epoch, offset: 20 });
        assert.deepEqual(
          missed?.map(({ offset }) => offset),
          [19, 20],
        );
      }
    },
  },
  {
    title: '300 publications are recovered with their keys',
    async run(world) {
      const instance = await world.start();
      const { epoch } = await instance.top('t');
      const publish = (n: string) => instance.broker.publish('t', n, { key: `k${n}`, history: plenty });
      await Promise.all(numbers(1, 310).map(publish));
      const { missed } = await instance.broker.read('t', { epoch, offset: 10 }, all);
      assert.deepEqual(
        missed?.map(({ data, key }) => [data, key]),
        numbers(11, 310).map((n) => [n, `k${n}`]),
      );
    },
  },
  {
    title: 'a position that never existed is unrecoverable: another epoch, or past the end',
    async run(world) {
      const instance = await world.start();
      const { epoch } = await instance.publishMany('t', 3, { history: plenty });
      for (const since of [
        { epoch: `${epoch}x`, offset: 1 },
        { epoch: 'x', offset: 3 },
        { epoch, offset: 4 },
        { epoch, offset: Number.MAX_SAFE_INTEGER },
      ]) {
        assert.equal(await instance.missed('t', since, all), undefined, JSON.stringify(since));
      }
    },
  },
  {
    title: 'recovery is all or nothing within the limits of count and bytes',
    async run(world) {
      const instance = await world.start();
      const { epoch } = await instance.top('t');
      for (let n = 1; n <= 10; n++) await instance.broker.publish('t', tenBytes(n), { history: plenty });
      const since = { epoch, offset: 4 };
      const count = async (limits: { count: number; bytes: number }) =>
        (await instance.missed('t', since, limits))?.length;
      assert.equal(await count({ count: 6, bytes: 60 }), 6);
      assert.equal(await count({ count: 5, bytes: 1_000 }), undefined);
      assert.equal(await count({ count: 100, bytes: 59 }), undefined);
      assert.deepEqual(await instance.missed('t', { epoch, offset: 10 }, { count: 0, bytes: 0 }), []);
    },
  },
  {
    title: 'without rules there is no history, and only an up-to-date position is recoverable',
    async run(world) {
      const instance = await world.start();
      const { epoch } = await instance.publishMany('t', 3);
      assert.equal(await instance.missed('t', { epoch, offset: 2 }, all), undefined);
      assert.deepEqual(await instance.missed('t', { epoch, offset: 3 }, all), []);
    },
  },
  {
    title: 'a publication that was not kept makes earlier positions unrecoverable',
    async run(world) {
      const instance = await world.start();
      const { epoch } = await instance.top('t');
      for (let n = 1; n <= 6; n++) {
        await instance.broker.publish('t', String(n), n === 3 ? {} : { history: plenty });
      }
      assert.equal(await instance.missed('t', { epoch, offset: 1 }, all), undefined);
      assert.equal(await instance.missed('t', { epoch, offset: 2 }, all), undefined);
      assert.deepEqual(await instance.missed('t', { epoch, offset: 3 }, all), ['4', '5', '6']);
    },
  },
  {
    title: 'the history keeps no more publications than its size',
    async run(world) {
      await bounded(world, { ...plenty, size: 5 });
    },
  },
  {
    title: 'the history keeps no more bytes than its limit',
    async run(world) {
      await bounded(world, { ...plenty, maxBytes: 59 });
    },
  },
  {
    title: 'history expires after its TTL, even in a topic that is not used',
    async run(world) {
      const instance = await world.start();
      const history = { ...plenty, ttlMs: 1_500 };
      const { epoch } = await instance.top('t');
      await instance.publishMany('t', 3, { history });
      assert.deepEqual(await instance.missed('t', { epoch, offset: 1 }, all), ['2', '3']);
      await world.pass(1_700);
      assert.equal(await instance.missed('t', { epoch, offset: 2 }, all), undefined);
      assert.deepEqual(await instance.missed('t', { epoch, offset: 3 }, all), []);
      assert.deepEqual(await instance.broker.publish('t', '4', { history }), { epoch, offset: 4 });
      assert.deepEqual(await instance.missed('t', { epoch, offset: 3 }, all), ['4']);
    },
  },
];

/** Publishes ten times ten bytes, of which the last five are kept. */
async function bounded(world: Parameters<BrokerCheck['run']>[0], history: HistoryRules): Promise<void> {
  const instance = await world.start();
  const { epoch } = await instance.top('t');
  for (let n = 1; n <= 10; n++) await instance.broker.publish('t', tenBytes(n), { history });
  assert.equal(await instance.missed('t', { epoch, offset: 4 }, all), undefined);
  assert.equal((await instance.missed('t', { epoch, offset: 5 }, all))?.length, 5);
}

import assert from 'node:assert/strict';
import type { LatestReading, LatestRule } from '../../core/ports/broker.js';
import type { BrokerCheck } from './check.js';
import { type Instance, numbers } from './instance.js';

async function publishKeyed(instance: Instance, latest: LatestRule, keys: readonly (string | undefined)[]) {
  for (const [i, key] of keys.entries()) {
    await instance.broker.publish('t', String(i + 1), { latest, ...(key !== undefined && { key }) });
  }
}

const byKey = ({ publications }: LatestReading): Map<string | undefined, string> =>
  new Map(publications.map(({ key, data }) => [key, data]));

/** The latest values kept for snapshots. [L-6.5] */
export const latestChecks: readonly BrokerCheck[] = [
  {
    title: 'there are no latest values before the first publication, or for publications without a rule',
    async run(world) {
      const { broker } = await world.start();
      const { top, publications } = await broker.latest('t');
      assert.deepEqual([top.offset, publications], [0, []]);
      const position = await broker.publish('t', '1', {});
      assert.deepEqual(await broker.latest('t'), { top: position, publications: [] });
    },
  },
  {
    title: 'the latest value is the last publication, read with the end of the stream',
    async run(world) {
      const [one, two] = await world.startTwo();
      await publishKeyed(one, 'last', ['a', 'b', undefined]);
      const top = await one.top('t');
      const expected = { top, publications: [{ offset: 3, data: '3' }] };
      for (const { broker } of [one, two]) assert.deepEqual(await broker.latest('t'), expected);
    },
  },
  {
    title: 'the latest values are the last publication of each key, and none without a key',
    async run(world) {
      const [one, two] = await world.startTwo();
      await publishKeyed(one, 'last-per-key', ['a', 'b', undefined, 'a', '__proto__', 'c', 'b']);
      const reading = await two.broker.latest('t');
      assert.deepEqual(reading.top, await one.top('t'));
      assert.deepEqual(
        byKey(reading),
        new Map([
          ['a', '4'],
          ['__proto__', '5'],
          ['c', '6'],
          ['b', '7'],
        ]),
      );
    },
  },
  {
    title: 'the latest values include every one of many keys, however long ago it was published',
    async run(world) {
      const [one, two] = await world.startTwo();
      const publish = (n: number, key: string) =>
        (n % 2 ? one : two).broker.publish('t', String(n), { key, latest: 'last-per-key' });
      await publish(0, 'once');
      for (let n = 1; n <= 1_200; n += 50) {
        await Promise.all(
          numbers(n, n + 49).map((each) => publish(Number(each), `k${String(Number(each) % 70)}`)),
        );
      }
      const { publications } = await two.broker.latest('t');
      assert.equal(publications.length, 71);
      assert.equal(publications.find(({ key }) => key === 'once')?.data, '0');
      for (const { key, offset } of publications.filter(({ key }) => key !== 'once')) {
        // Two instances publish concurrently, so the 50 of one round arrive in any order.
        assert.ok(offset > 1_101, `${String(key)} is that of ${String(offset)}`);
      }
    },
  },
  {
    title: 'the latest values and the end of the stream are read at the same moment',
    async run(world) {
      const [one, two] = await world.startTwo();
      const published: { offset: number; key: string }[] = [];
      const publishing = (async () => {
        for (let n = 1; n <= 120; n++) {
          const key = `k${String(n % 3)}`;
          const { offset } = await one.broker.publish('t', String(n), { key, latest: 'last-per-key' });
          published.push({ offset, key });
        }
      })();
      const readings: LatestReading[] = [];
      while (published.length < 120) readings.push(await two.broker.latest('t'));
      await publishing;
      readings.push(await two.broker.latest('t'));
      for (const { top, publications } of readings) {
        const expected = ['k0', 'k1', 'k2'].flatMap((key) => {
          const last = published.findLast((one) => one.key === key && one.offset <= top.offset);
          return last === undefined ? [] : [last.offset];
        });
        assert.deepEqual(
          publications.map(({ offset }) => offset).toSorted((a, b) => a - b),
          expected.toSorted((a, b) => a - b),
          `at ${String(top.offset)}`,
        );
      }
    },
  },
];

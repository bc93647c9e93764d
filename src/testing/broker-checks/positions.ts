import assert from 'node:assert/strict';
import type { Position } from '../../protocol/position.js';
import type { BrokerCheck } from './check.js';
import { numbers } from './instance.js';
import { sleep } from './timing.js';
import { all, plenty } from './world.js';

/** Offsets and epochs. [L-4.2] */
export const positionChecks: readonly BrokerCheck[] = [
  {
    title: 'positions of each topic start at 1 and rise by one, in one epoch',
    async run(world) {
      const { broker } = await world.start();
      const given: [string, number, string][] = [];
      for (const topic of ['a', 'b', 'a', 'a', 'b']) {
        const { offset, epoch } = await broker.publish(topic, '1', {});
        given.push([topic, offset, epoch]);
      }
      assert.deepEqual(
        given.map(([topic, offset]) => `${topic}${String(offset)}`),
        ['a1', 'b1', 'a2', 'a3', 'b2'],
      );
      for (const topic of ['a', 'b']) {
        assert.equal(new Set(given.filter(([name]) => name === topic).map(([, , epoch]) => epoch)).size, 1);
      }
    },
  },
  {
    title: 'a topic without publications gets an epoch when it is read, and keeps it',
    async run(world) {
      const [one, two] = await world.startTwo();
      const tops = [await one.top('t'), await two.top('t'), await one.top('t')];
      assert.match(tops[0]?.epoch ?? '', /^.{1,64}$/);
      const { epoch } = tops[0] ?? { epoch: '' };
      assert.deepEqual(
        tops,
        tops.map(() => ({ epoch, offset: 0 })),
      );
      assert.deepEqual(await two.broker.publish('t', '1', {}), { epoch, offset: 1 });
      assert.deepEqual(await one.top('t'), { epoch, offset: 1 });
    },
  },
  {
    title: 'concurrent reads of a topic without publications return one epoch',
    async run(world) {
      const instances = await world.startTwo();
      const tops = await Promise.all(Array.from({ length: 20 }, (_, i) => instances[i % 2]!.top('t')));
      assert.equal(new Set(tops.map(({ epoch }) => epoch)).size, 1);
    },
  },
  {
    title: 'concurrent publications get distinct positions, and history and deliveries agree on them',
    async run(world) {
      const [one, two] = await world.startTwo();
      for (const { broker } of [one, two]) await broker.subscribe('t');
      const { epoch } = await one.top('t');
      const texts = numbers(1, 200);
      const places = await Promise.all(
        texts.map((text, i) => (i % 2 ? one : two).broker.publish('t', text, { history: plenty })),
      );
      assert.deepEqual(
        places.map(({ offset }) => offset).toSorted((a, b) => a - b),
        texts.map(Number),
      );
      assert.deepEqual(new Set(places.map((place) => place.epoch)), new Set([epoch]));
      const inOrder: string[] = [];
      for (const [i, { offset }] of places.entries()) inOrder[offset - 1] = texts[i] ?? '';
      assert.deepEqual(await one.missed('t', { epoch, offset: 0 }, all), inOrder);
      for (const instance of [one, two]) {
        await instance.reached('t', { epoch, offset: 200 });
        assert.deepEqual(
          instance.of('t').map(({ offset, data }) => [offset, data]),
          inOrder.map((data, i) => [i + 1, data]),
        );
      }
    },
  },
  {
    title: 'publications that one publisher sends without waiting keep their order',
    async run(world) {
      const { broker } = await world.start();
      const publishing: Promise<Position>[] = [];
      for (const text of numbers(1, 50)) {
        publishing.push(broker.publish('t', text, {}));
        // Some in the same tick, some while others are in flight.
        if (publishing.length % 5 === 0) await sleep(0);
      }
      const places = await Promise.all(publishing);
      assert.deepEqual(
        places.map(({ offset }) => offset),
        numbers(1, 50).map(Number),
      );
    },
  },
  {
    title: 'the ends of many topics can be read at once, including topics without publications',
    async run(world) {
      const [one, two] = await world.startTwo();
      const topics = Array.from({ length: 100 }, (_, i) => `t/${String(i)}`);
      const expected = new Map<string, object>();
      for (const [i, topic] of topics.entries()) {
        if (i % 3 > 0) expected.set(topic, await one.publishMany(topic, i % 3, {}));
      }
      const tops = await two.broker.tops(topics);
      assert.deepEqual([...tops.keys()].toSorted(), topics.toSorted());
      for (const topic of topics) {
        assert.deepEqual(tops.get(topic), expected.get(topic) ?? (await one.top(topic)));
      }
      assert.equal((await two.broker.tops([])).size, 0);
    },
  },
];

import assert from 'node:assert/strict';
import type { BrokerCheck } from './check.js';
import { numbers } from './instance.js';
import { all, plenty } from './world.js';

/** Engines that lose their streams, become unavailable, or carry junk. */
export const engineChecks: readonly BrokerCheck[] = [
  {
    title: 'a lost stream starts a new epoch, and no position is used twice',
    needs: ['loseStreams'],
    async run(world) {
      const [one, two] = await world.startTwo();
      await one.broker.subscribe('t');
      const options = { history: plenty, latest: 'last', version: 5 } as const;
      const before = await two.broker.publish('t', '1', options);
      await two.publishMany('untouched', 3);
      await one.reached('t', before);
      const untouched = await two.top('untouched');
      await world.need('loseStreams')();
      await world.patience.until(
        'the broker is available again',
        () => one.broker.available && two.broker.available,
      );

      const after = await two.broker.publish('t', '2', { ...options, version: 1 });
      assert.notEqual(after.epoch, before.epoch);
      assert.deepEqual([after.offset, after.suppressed], [1, undefined]);
      await one.reached('t', after);
      for (const offset of [0, 1]) {
        assert.equal(await one.missed('t', { epoch: before.epoch, offset }, all), undefined);
      }
      const { epoch, offset } = (await one.broker.tops(['untouched'])).get('untouched') ?? untouched;
      assert.equal(offset, 0);
      assert.notEqual(epoch, untouched.epoch);
      const { publications } = await one.broker.latest('t');
      assert.deepEqual(
        publications.map(({ data }) => data),
        ['2'],
      );
    },
  },
  {
    title: 'a lost stream is lost for every instance, whichever used it last',
    needs: ['loseStreams', 'another'],
    async run(world) {
      const [one, two] = await world.startTwo();
      const before = await one.publishMany('t', 3);
      await world.need('loseStreams')();
      await world.patience.until(
        'the broker is available again',
        () => one.broker.available && two.broker.available,
      );
      const byTwo = await two.publishMany('t', 3);
      const byOne = await one.broker.publish('t', '4', {});
      assert.notEqual(byTwo.epoch, before.epoch);
      assert.deepEqual(byOne, { epoch: byTwo.epoch, offset: 4 });
    },
  },
  {
    title:
      'a stopped engine is reported within 5 seconds, calls reject, and the broker recovers with all stored data',
    needs: ['restart'],
    async run(world) {
      const [one, two] = await world.startTwo();
      await one.broker.subscribe('t');
      const before = await two.publishMany('t', 3, { history: plenty });
      await one.reached('t', before);
      await world.need('restart')(async () => {
        await world.patience.until(
          'the broker reports that it is unavailable',
          () => !one.broker.available,
          5_000,
        );
        assert.equal(one.availability.at(-1), false);
        const { broker } = one;
        for (const [what, call] of [
          ['publish', () => broker.publish('t', '"lost"', {})],
          ['subscribe', () => broker.subscribe('other')],
          ['read', () => broker.read('t', undefined, all)],
          ['tops', () => broker.tops(['t'])],
          ['latest', () => broker.latest('t')],
          ['signal', () => broker.signal('x')],
        ] as const) {
          await world.patience.rejected(what, call);
        }
        await world.patience.inTime(
          'unsubscribe',
          broker.unsubscribe('never').catch(() => {}),
        );
      });
      for (const { broker, availability } of [one, two]) {
        await world.patience.until(
          'the broker is available again',
          () => broker.available && availability.at(-1) === true,
        );
      }
      await world.patience.until('the broker reports what may have been missed', () =>
        one.suspected.includes(undefined),
      );
      // The epoch may differ, but each position continues.
      assert.equal((await one.broker.tops(['t'])).get('t')?.offset, before.offset);
      assert.deepEqual(await two.missed('t', { epoch: before.epoch, offset: 1 }, all), ['2', '3']);
      const after = await two.broker.publish('t', '4', { history: plenty });
      assert.equal(after.offset, 4);
      await one.reached('t', after);
      assert.deepEqual(await one.top('t'), { epoch: after.epoch, offset: 4 });
      assert.deepEqual(await one.missed('t', { epoch: before.epoch, offset: 2 }, all), ['3', '4']);
      // Beyond the end of the previous epoch, unless that epoch continues.
      const beyond = after.epoch === before.epoch ? [] : undefined;
      assert.deepEqual(await two.missed('t', { epoch: before.epoch, offset: 4 }, all), beyond);
      assert.deepEqual(one.offsets('t'), numbers(1, 4).map(Number));
    },
  },
  {
    title: 'junk messages are counted and not delivered, and the broker goes on',
    needs: ['junk'],
    async run(world) {
      const [one, two] = await world.startTwo();
      await one.broker.subscribe('t');
      await one.reached('t', await two.broker.publish('t', '1', { history: plenty }));
      await world.need('junk')('t');
      const total = world.opened.junkTotal;
      if (total !== undefined) await world.patience.until('the junk is counted', () => total() > 0);
      const last = await two.broker.publish('t', '2', { history: plenty });
      await one.reached('t', last);
      assert.deepEqual(
        one.of('t').map(({ data }) => data),
        ['1', '2'],
      );
      assert.deepEqual(await one.top('t'), { epoch: last.epoch, offset: last.offset });
      await one.broker.signal('after');
      await world.patience.until('a signal arrives', () => one.signals.includes('after'));
      assert.ok(one.broker.available);
    },
  },
];

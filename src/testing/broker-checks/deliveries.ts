import assert from 'node:assert/strict';
import { maxSignalBytes } from '../../core/ports/broker.js';
import type { BrokerCheck } from './check.js';
import { numbers } from './instance.js';
import { sleep } from './timing.js';

/** Long enough for an unexpected delivery to arrive. */
const quietMs = 60;

/** JSON texts that an engine might alter. */
const texts: readonly string[] = [
  '0',
  'null',
  '""',
  '"\\u0000\\r\\n\\t"',
  '"ünïcödé 🚋 \u2028"',
  '{ "spaced" :\n [1,\r\n 2] }',
  '{"__proto__":{"a":1},"constructor":null}',
  '-0.1e-7',
  JSON.stringify('x'.repeat(200_000)),
];

/** Deliveries to the sink. */
export const deliveryChecks: readonly BrokerCheck[] = [
  {
    title: 'every instance receives the publications of its subscribed topics, in order and unchanged',
    async run(world) {
      const instances = await world.startTwo();
      for (const { broker } of instances) await broker.subscribe('t');
      const keys = ['k', undefined, 'ключ \r\n ü"', undefined, 'x'.repeat(128)];
      for (const [i, text] of texts.entries()) {
        const key = keys[i % keys.length];
        await instances[i % 2]!.broker.publish('t', text, key === undefined ? {} : { key });
      }
      const { epoch } = await instances[0].top('t');
      for (const instance of instances) {
        await instance.reached('t', { epoch, offset: texts.length });
        assert.deepEqual(
          instance.of('t'),
          texts.map((data, i) => {
            const key = keys[i % keys.length];
            return { topic: 't', epoch, offset: i + 1, data, ...(key !== undefined && { key }) };
          }),
        );
      }
    },
  },
  {
    title: 'a subscription is in force once subscribe has resolved',
    async run(world) {
      const [one, two] = await world.startTwo();
      for (let i = 0; i < 50; i++) {
        const topic = `t/${String(i)}`;
        await one.broker.subscribe(topic);
        await one.reached(topic, await two.broker.publish(topic, '1', {}));
      }
    },
  },
  {
    title: 'no publication is lost between a subscribe and the position read after it',
    async run(world) {
      const [one, two] = await world.startTwo();
      for (let i = 0; i < 20; i++) {
        const topic = `t/${String(i)}`;
        const publishing = (async () => {
          for (const text of numbers(1, 20)) {
            await two.broker.publish(topic, text, {});
            await sleep(0);
          }
        })();
        await sleep(Math.random() * 15);
        await one.broker.subscribe(topic);
        const { epoch, offset } = await one.top(topic);
        await publishing;
        if (offset < 20) await one.reached(topic, { epoch, offset: 20 });
        const after = one.offsets(topic).filter((each) => each > offset);
        assert.deepEqual(after, numbers(offset + 1, 20).map(Number));
      }
    },
  },
  {
    title: 'nothing is delivered for a topic that is not subscribed, or after unsubscribe',
    async run(world) {
      const [one, two] = await world.startTwo();
      await one.broker.subscribe('t');
      await two.broker.publish('other', '1', {});
      await one.reached('t', await two.broker.publish('t', '1', {}));
      await Promise.all(numbers(2, 20).map((text) => two.broker.publish('t', text, {})));
      await one.broker.unsubscribe('t');
      const before = one.delivered.length;
      await two.broker.publish('t', '21', {});
      await sleep(quietMs);
      assert.equal(one.delivered.length, before);
      assert.deepEqual(one.of('other'), []);
    },
  },
  {
    title: 'a fast unsubscribe and resubscribe delivers each later publication once',
    async run(world) {
      const [one, two] = await world.startTwo();
      for (let i = 1; i <= 20; i++) {
        await one.broker.subscribe('t');
        await one.reached('t', await two.broker.publish('t', String(i), {}));
        await one.broker.unsubscribe('t');
      }
      const closing = one.broker.unsubscribe('t');
      await one.broker.subscribe('t');
      await closing;
      await one.reached('t', await two.broker.publish('t', '21', {}));
      assert.deepEqual(one.offsets('t'), numbers(1, 21).map(Number));
    },
  },
  {
    title: 'unsubscribing a topic that was never subscribed is no error',
    async run(world) {
      const { broker } = await world.start();
      await broker.unsubscribe('never');
    },
  },
  {
    title: 'a signal reaches all instances unchanged, including the sender',
    async run(world) {
      const instances = await world.startTwo();
      const words = ['', 'ü \r\n {"a":1}', 'x'.repeat(maxSignalBytes)];
      for (const word of words) await instances[0].broker.signal(word);
      for (const instance of new Set(instances)) {
        await world.patience.until('all signals have arrived', () => instance.signals.length >= words.length);
        assert.deepEqual(instance.signals.toSorted(), words.toSorted());
      }
    },
  },
];

import assert from 'node:assert/strict';
import type { BrokerCheck } from './check.js';
import { all } from './world.js';

/** Counts open sockets; the runner's own resources come and go, so only some kinds count. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Pipe(?!Wrap$)|UDP|GetAddr/.test(kind))
    .length;
}

/** Closing an instance. */
export const endingChecks: readonly BrokerCheck[] = [
  {
    title: 'a closed broker rejects every call and may be closed again',
    async run(world) {
      const { broker } = await world.start();
      await broker.subscribe('t');
      await broker.close();
      await broker.close();
      for (const [what, call] of [
        ['publish', () => broker.publish('t', '1', {})],
        ['subscribe', () => broker.subscribe('t')],
        ['read', () => broker.read('t', undefined, all)],
        ['tops', () => broker.tops(['t'])],
        ['latest', () => broker.latest('t')],
        ['signal', () => broker.signal('x')],
      ] as const) {
        await world.patience.rejected(what, call);
      }
    },
  },
  {
    title: 'a broker can be closed right after its start and while calls are in flight',
    async run(world) {
      const { broker } = await world.start();
      const calls = ['a', 'b', 'c'].flatMap((topic) => [
        broker.subscribe(topic),
        broker.publish(topic, '1', {}),
        broker.tops([topic]),
      ]);
      const closing = broker.close();
      await world.patience.inTime('a call', Promise.allSettled([...calls, closing]));
    },
  },
  {
    title: 'a closed instance receives nothing more, while the others go on',
    needs: ['another'],
    async run(world) {
      const [one, two] = await world.startTwo();
      for (const { broker } of [one, two]) await broker.subscribe('t');
      await one.reached('t', await two.broker.publish('t', '1', {}));
      await one.broker.close();
      await two.reached('t', await two.broker.publish('t', '2', {}));
      await two.broker.signal('x');
      await world.patience.until('the signal has arrived', () => two.signals.length > 0);
      assert.deepEqual([one.offsets('t'), one.signals], [[1], []]);
    },
  },
  {
    title: 'closing a broker closes its sockets',
    needs: ['another'],
    async run(world) {
      await world.start();
      const before = openSockets();
      const broker = await world.need('another')();
      broker.start({ publication() {}, suspect() {}, availability() {}, signal() {} });
      await world.patience.until('the broker is available', () => broker.available);
      await broker.subscribe('t');
      await broker.publish('t', '1', {});
      await broker.close();
      await world.patience.until('its sockets are closed', () => openSockets() <= before, 5_000);
    },
  },
];

import assert from 'node:assert/strict';
import type { BrokerCheck } from './check.js';
import { all } from './world.js';

/** What holds a process open, by kind; what the runner itself has comes and goes. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Pipe(?!Wrap$)|UDP|GetAddr/.test(kind))
    .length;
}

/** The end of an instance. */
export const endingChecks: readonly BrokerCheck[] = [
  {
    title: 'rejects every call after it is closed, and may be closed twice',
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
    title: 'can be closed at once after its start, and while calls are under way',
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
    title: 'delivers nothing after it is closed, while the others go on',
    needs: ['another'],
    async run(world) {
      const [one, two] = await world.startTwo();
      for (const { broker } of [one, two]) await broker.subscribe('t');
      await one.reached('t', await two.broker.publish('t', '1', {}));
      await one.broker.close();
      await two.reached('t', await two.broker.publish('t', '2', {}));
      await two.broker.signal('x');
      await world.patience.until('the signal has come', () => two.signals.length > 0);
      assert.deepEqual([one.offsets('t'), one.signals], [[1], []]);
    },
  },
  {
    title: 'gives its sockets back when it is closed',
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

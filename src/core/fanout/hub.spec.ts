import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import type { BrokerSink } from '../ports/broker.js';

const event = (offset: number) => ({ type: 'event', topic: 't', offset, data: offset });

describe('Hub', () => {
  it('[L-3.10] does not send again what a broker delivers late, after it was read with the position', async () => {
    let sink: BrokerSink | undefined;
    const test = new TestLive({
      broker: (memory) =>
        Object.assign(Object.create(memory) as typeof memory, {
          start: (given: BrokerSink) => void (sink = given),
          read: async () => ({ top: { epoch: 'e', offset: 2 }, missed: undefined }),
        }),
    });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    for (const offset of [1, 2, 3]) sink?.publication('t', 'e', { offset, data: String(offset) });
    test.clock.flush();
    expect(received()).toEqual([
      { type: 'subscribed', topic: 't', epoch: 'e', offset: 2, recovered: false },
      event(3),
    ]);
  });

  it('opens a topic of the broker with the first subscriber in, and closes it with the last one out', async () => {
    const calls: string[] = [];
    const test = new TestLive({
      broker: (memory) =>
        Object.assign(Object.create(memory) as typeof memory, {
          subscribe: (topic: string) => (calls.push(`+${topic}`), memory.subscribe(topic)),
          unsubscribe: (topic: string) => (calls.push(`-${topic}`), memory.unsubscribe(topic)),
        }),
    });
    const peers = [test.connect(), test.connect()];
    for (const { send } of peers) await send({ type: 'subscribe', topic: 't' });
    for (const { send } of peers) await send({ type: 'unsubscribe', topic: 't' });
    expect(calls).toEqual(['+t', '-t']);
  });

  it('goes on with everybody else when a peer turns out too slow in the middle of a publication', async () => {
    const test = new TestLive({ limits: { backPressureThresholdBytes: 50_000 } });
    const peers = Array.from({ length: 5 }, () => test.connect());
    for (const { send } of peers) await send({ type: 'subscribe', topic: 't' });
    const slow = peers[2]?.socket;
    if (slow === undefined) throw new Error('no peer');
    for (let i = 0; i < 40; i++) {
      slow.bufferedBytes = 60_000;
      await test.live.publish('t', 'x'.repeat(10_000));
    }
    await test.clock.settle();
    const events = peers.map(({ received }) =>
      received().filter((message) => (message as { type: string }).type === 'event'),
    );
    expect(slow.closedWith?.code).toBe(1008);
    expect(events.map(({ length }) => length)).toEqual([40, 40, 0, 40, 40]);
  });

  it.each([
    ['no topic name', 'a//b', 1, {}],
    ['a key that is too long', 't', 1, { key: 'x'.repeat(129) }],
    ['an empty key', 't', 1, { key: '' }],
    ['an idempotency key that is too long', 't', 1, { idempotencyKey: 'x'.repeat(129) }],
    ['a version that is no integer', 't', 1, { version: 1.5 }],
    ['nothing', 't', undefined, {}],
    ['what JSON cannot say', 't', 1n, {}],
  ])('refuses the application to publish %s', async (_what, topic, data, options) => {
    const error = { name: 'LiveError', code: 'validation-failed' };
    await expect(new TestLive().live.publish(topic, data, options)).rejects.toMatchObject(error);
  });

  it('says what was suppressed, and counts what was stored', async () => {
    const { live } = new TestLive();
    const first = await live.publish('t', 1, { idempotencyKey: 'k', version: 3 });
    const duplicate = await live.publish('t', 1, { idempotencyKey: 'k', version: 4 });
    const stale = await live.publish('t', 1, { version: 3 });
    expect([first.suppressed, duplicate.suppressed, stale.suppressed]).toEqual([
      undefined,
      'duplicate',
      'stale',
    ]);
    expect(new Set([first, duplicate, stale].map(({ offset }) => offset))).toEqual(new Set([1]));
    expect(live.stats().publicationsTotal).toBe(1);
  });

  it('[L-4.1] serialises a publication once, and hands the same frame to all', async () => {
    let serialised = 0;
    const test = new TestLive();
    for (let i = 0; i < 50; i++) await test.connect().send({ type: 'subscribe', topic: 't' });
    await test.publish('t', { toJSON: () => ++serialised });
    expect(serialised).toBe(1);
    expect(test.live.stats()).toMatchObject({ publicationsTotal: 1, deliveriesTotal: 50 });
  });
});

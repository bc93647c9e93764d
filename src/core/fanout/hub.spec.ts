import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import type { BrokerSink } from '../ports/broker.js';

const event = (offset: number) => ({ type: 'event', topic: 't', offset, data: offset });

describe('Hub', () => {
  it('[L-3.10] a publication that was read with the position is not sent again when the broker delivers it late', async () => {
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

  it('a topic of the broker is opened with its first subscriber and closed with its last', async () => {
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

  it('a peer that is dropped during a publication does not affect the others', async () => {
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
    ['to an invalid topic name', 'a//b', 1, {}],
    ['with a key that is too long', 't', 1, { key: 'x'.repeat(129) }],
    ['with an empty key', 't', 1, { key: '' }],
    ['with an idempotency key that is too long', 't', 1, { idempotencyKey: 'x'.repeat(129) }],
    ['with a version that is not an integer', 't', 1, { version: 1.5 }],
    ['without data', 't', undefined, {}],
    ['data that JSON cannot represent', 't', 1n, {}],
  ])('the application cannot publish %s', async (_what, topic, data, options) => {
    const error = { name: 'LiveError', code: 'validation-failed' };
    await expect(new TestLive().live.publish(topic, data, options)).rejects.toMatchObject(error);
  });

  it('publish reports what was suppressed, and counts only what was stored', async () => {
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

  it('[L-4.1] a publication is serialized once, and all subscribers share the frame', async () => {
    let serialized = 0;
    const test = new TestLive();
    for (let i = 0; i < 50; i++) await test.connect().send({ type: 'subscribe', topic: 't' });
    await test.publish('t', { toJSON: () => ++serialized });
    expect(serialized).toBe(1);
    expect(test.live.stats()).toMatchObject({ publicationsTotal: 1, deliveriesTotal: 50 });
  });
});

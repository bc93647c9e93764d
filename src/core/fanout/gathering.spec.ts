import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';

const rules = { history: { size: 100, ttlMs: 100_000, maxBytes: 100_000 }, delivery: { flushMs: 25 } };
const event = (offset: number) => ({ type: 'event', topic: 't', offset, data: offset });

async function publish(test: TestLive, ...offsets: readonly number[]): Promise<void> {
  for (const offset of offsets) await test.publish('t', offset);
}

describe('A window', () => {
  it('[L-4.9] gathers what is published, and sends all of it in one write at its end', async () => {
    const test = new TestLive({ rulesFor: () => rules });
    const { send, received, socket } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    received();
    const timers = test.clock.timerCount;
    await publish(test, 1);
    test.clock.advance(20);
    await publish(test, 2, 3);
    expect(received()).toEqual([]);
    const before = socket.writes.length;
    test.clock.advance(5);
    expect([received(), socket.writes.length - before]).toEqual([[event(1), event(2), event(3)], 1]);
    await publish(test, 4);
    test.clock.advance(25);
    expect([received(), test.clock.timerCount]).toEqual([[event(4)], timers]);
  });

  it('[L-4.9] [L-3.10] gives who subscribes while it is open each publication once', async () => {
    const test = new TestLive({ rulesFor: () => rules });
    const [early, late] = [test.connect(), test.connect()];
    await early.send({ type: 'subscribe', topic: 't' });
    await publish(test, 1, 2);
    await late.send({ type: 'subscribe', topic: 't' });
    await publish(test, 3);
    test.clock.advance(25);
    expect(early.received().slice(1)).toEqual([event(1), event(2), event(3)]);
    expect(late.received()).toEqual([
      { type: 'subscribed', topic: 't', epoch: expect.any(String) as string, offset: 2, recovered: false },
      event(3),
    ]);
  });

  it('[L-4.9] ends early when it holds much, and before a drain', async () => {
    const test = new TestLive({ rulesFor: () => rules });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    received();
    await test.publish('t', 'x'.repeat(70_000));
    expect(received()).toHaveLength(1);
    await publish(test, 2);
    void test.live.drain(1_000);
    expect(received()).toEqual([event(2)]);
  });

  it('[L-4.9] [L-9.8] is the same moment for all topics of one length: one write', async () => {
    const test = new TestLive({ rulesFor: () => rules });
    const { send, received, socket } = test.connect();
    for (const topic of ['t', 'u']) await send({ type: 'subscribe', topic });
    received();
    await publish(test, 1);
    test.clock.advance(10);
    await test.publish('u', 1);
    const before = socket.writes.length;
    test.clock.advance(15);
    expect([received().length, socket.writes.length - before]).toEqual([2, 1]);
  });
});

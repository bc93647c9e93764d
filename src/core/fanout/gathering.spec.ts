import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import { TestSocket } from '../../testing/test-socket.js';
import type { BrokerSink } from '../ports/broker.js';

const rules = { history: { size: 100, ttlMs: 100_000, maxBytes: 100_000 }, delivery: { flushMs: 25 } };
const event = (offset: number) => ({ type: 'event', topic: 't', offset, data: offset });

async function publish(test: TestLive, ...offsets: readonly number[]): Promise<void> {
  for (const offset of offsets) await test.publish('t', offset);
}

describe('A window', () => {
  it('[L-4.9] publications in a window are sent in one write at its end', async () => {
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

  it('[L-4.9] [L-3.10] a subscriber that joins during a window gets each publication once', async () => {
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

  it('[L-3.10] [L-4.2] a window of a lost stream is not delivered to subscribers of the new one', async () => {
    let sink: BrokerSink | undefined;
    const reads: ((epoch: string, offset: number) => void)[] = [];
    const test = new TestLive({
      rulesFor: () => rules,
      broker: (memory) =>
        Object.assign(Object.create(memory) as typeof memory, {
          start: (given: BrokerSink) => void (sink = given),
          read: () =>
            new Promise((resolve) => {
              reads.push((epoch, offset) => resolve({ top: { epoch, offset }, missed: undefined }));
            }),
        }),
    });
    const [early, late] = [test.connect(), test.connect()];
    await early.send({ type: 'subscribe', topic: 't' });
    reads[0]?.('lost', 0);
    await test.clock.settle();
    for (const offset of [1, 2]) sink?.publication('t', 'lost', { offset, data: String(offset) });
    await late.send({ type: 'subscribe', topic: 't' });
    await early.send({ type: 'unsubscribe', topic: 't' });
    reads[1]?.('new', 0);
    await test.clock.settle();
    test.clock.advance(25);
    expect(late.received()).toEqual([
      { type: 'subscribed', topic: 't', epoch: 'new', offset: 0, recovered: false },
    ]);
  });

  it('[L-4.9] [L-9.8] each subscriber of a conflated topic gets what is new to it in a window, and the newest if it is behind', async () => {
    const delivery = { ...rules.delivery, slow: 'conflate' as const };
    const test = new TestLive({ rulesFor: () => ({ ...rules, delivery }) });
    const slow = test.connect({ socket: new TestSocket(true) });
    const [early, late] = [test.connect(), test.connect()];
    for (const { send } of [slow, early]) await send({ type: 'subscribe', topic: 't' });
    await publish(test, 1);
    await late.send({ type: 'subscribe', topic: 't' });
    await publish(test, 2, 3);
    test.clock.advance(25);
    expect(early.received().slice(1)).toEqual([event(1), event(2), event(3)]);
    expect(late.received().slice(1)).toEqual([event(2), event(3)]);
    for (let i = 0; i < 3; i++) slow.socket.drain();
    expect(slow.received().slice(1)).toEqual([{ ...event(3), from: 1 }]);
  });

  it('[L-4.9] a window ends early when it holds much data, and before a drain', async () => {
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

  it('[L-4.9] [L-10.6] a window goes on during a drain until a connection is closed', async () => {
    const test = new TestLive({ rulesFor: () => rules });
    const { send, received } = test.connect();
    for (let i = 0; i < 99; i++) test.connect();
    await send({ type: 'subscribe', topic: 't' });
    received();
    await publish(test, 1);
    void test.live.drain(20_000, { windowMs: 10_000 });
    test.clock.flush();
    expect(received()).toMatchObject([{ type: 'draining' }]);
    test.clock.advance(25);
    expect(received()).toEqual([event(1)]);
  });

  it('[L-4.9] [L-9.8] windows of one length end together for all topics, with one write', async () => {
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

describe('A tick', () => {
  class Recording extends TestSocket {
    readonly buffers: Uint8Array[] = [];

    override write(frames: Uint8Array): void {
      this.buffers.push(frames);
      super.write(frames);
    }
  }

  it('[L-4.1] publications of one tick are joined once for all subscribers', async () => {
    const test = new TestLive();
    const sockets = Array.from({ length: 3 }, () => new Recording());
    for (const socket of sockets) await test.connect({ socket }).send({ type: 'subscribe', topic: 't' });
    for (const { buffers } of sockets) buffers.length = 0;
    await Promise.all([1, 2, 3].map((i) => test.live.publish('t', i)));
    test.clock.flush();
    expect(sockets.map(({ messages }) => messages.slice(-3))).toEqual(
      sockets.map(() => [event(1), event(2), event(3)]),
    );
    const written = sockets.flatMap(({ buffers }) => buffers);
    expect([written.length, new Set(written).size]).toEqual([3, 1]);
  });

  it('[L-4.1] publications of a tick are sent before later messages and before a close', async () => {
    const test = new TestLive();
    const { send, received, socket } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    received();
    const [connection] = test.live.registry;
    await test.live.publish('t', 1);
    connection?.send({ type: 'note' });
    await test.live.publish('t', 2);
    connection?.close(1000, '');
    expect(received()).toEqual([event(1), { type: 'note' }, event(2)]);
    expect(socket.open).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { TestLive, type TestLiveOptions } from '../../testing/test-live.js';
import { TestSocket } from '../../testing/test-socket.js';
import type { TopicRules, SlowPolicy } from '../ports/policy.js';

const limits = { pingIntervalMs: 1_000_000, backPressureThresholdBytes: 10_000, maxQueuedMessages: 50 };
const data = 'x'.repeat(1_000);

/** A reader with a rate of one publication per ten seconds, which has received the first one. */
async function rated(rules: Partial<TopicRules>, options: Partial<TestLiveOptions> = {}) {
  const test = new TestLive({ rulesFor: () => rules, limits, ...options });
  const peer = test.connect({ socket: new TestSocket() });
  await peer.send({ type: 'subscribe', topic: 't', maxRate: 0.1 });
  let published = 0;
  const publish = async (count: number, text = data): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await test.live.publish('t', text, { key: `key-${String(published++)}` });
      await test.clock.settle();
    }
  };
  await publish(1);
  peer.received();
  return { test, peer, publish };
}

const slowly = (slow: SlowPolicy): Partial<TopicRules> => ({ delivery: { slow } });

describe('What waits for a rate', () => {
  it('[L-9.16] the queue of a rate is counted, and limited to the budget of one connection', async () => {
    const { test, peer, publish } = await rated(slowly('skip'));
    await publish(5);
    expect(test.live.stats().queuedBytes).toBeGreaterThan(5_000);
    for (let i = 0; i < 200; i++) {
      await publish(1);
      expect(test.live.stats().queuedBytes).toBeLessThanOrEqual(limits.backPressureThresholdBytes);
    }
    expect(test.live.stats().behind).toBe(0);
    peer.session.finished(1000, '');
    expect([test.live.stats().queuedBytes, test.live.stats().topics]).toEqual([0, 0]);
  });

  it.each([
    ['bytes', 20, data, {}],
    ['publications', 60, '', {}],
    ['old data', 400, '', { maxQueuedMessages: 10_000, backPressureThresholdBytes: 1_000_000 }],
    ['bytes in total', 9, data, { maxQueuedBytesTotal: 5_000 }],
  ])(
    '[L-9.16] [L-5.8] a rated reader with too much queued (%s) gets one notice of what it lost',
    async (_what, count, text, own) => {
      const { test, peer, publish } = await rated(slowly('conflate'), { limits: { ...limits, ...own } });
      await publish(count, text);
      expect(peer.received()).toEqual([]);
      test.clock.advance(10_000);
      await test.clock.settle();
      const told = [{ type: 'lost', topic: 't', from: 2, to: count + 1, count }];
      expect(peer.received()).toEqual(told);
      expect(test.live.stats().queuedBytes).toBeLessThan(1_000);
      await publish(1);
      test.clock.advance(10_000);
      const got = peer.received() as { offset: number; from?: number }[];
      expect(got.map(({ offset, from }) => [from, offset])).toEqual([[undefined, count + 2]]);
    },
  );

  it('[L-9.16] [L-5.8] after a loss, a rated reader of a topic with snapshots gets a fresh start', async () => {
    const { test, peer, publish } = await rated({ ...slowly('skip'), latest: 'last' });
    await publish(20);
    test.clock.advance(10_000);
    await test.clock.settle();
    expect(peer.received()).toMatchObject([
      { type: 'lost', from: 2, to: 21 },
      { type: 'subscribed', offset: 21, snapshot: data },
    ]);
  });

  it('[L-9.16] [L-9.2] a rated reader of a topic with the policy close is closed when its next frame is due', async () => {
    const { test, peer, publish } = await rated({});
    await publish(20);
    expect(peer.socket.open).toBe(true);
    test.clock.advance(10_000);
    expect(peer.socket.closedWith).toEqual({ code: 1008, reason: 'back-pressure threshold exceeded' });
    expect(test.live.stats()).toMatchObject({ topics: 0, queuedBytes: 0 });
  });

  it('[L-9.16] a rated reader that does not read gets its loss notice when it reads again', async () => {
    const test = new TestLive({ rulesFor: () => slowly('skip'), limits });
    const socket = new TestSocket(true);
    const peer = test.connect({ socket });
    await peer.send({ type: 'subscribe', topic: 't', maxRate: 0.1 });
    for (let i = 0; i < 3; i++) socket.drain();
    for (let i = 0; i < 30; i++) await test.live.publish('t', data, { key: String(i) });
    test.clock.advance(25_000);
    await test.clock.settle();
    const types = (): string[] => (peer.received() as { type: string }[]).map(({ type }) => type);
    expect(types()).not.toContain('lost');
    for (let i = 0; i < 3; i++) socket.drain();
    expect(types()).toContain('lost');
  });

  it('[L-9.16] a single publication waits for a rate, however large it is', async () => {
    const { test, peer, publish } = await rated(slowly('close'));
    await publish(1, 'x'.repeat(100_000));
    expect(test.live.stats().queuedBytes).toBeGreaterThan(100_000);
    test.clock.advance(10_000);
    expect(peer.received()).toMatchObject([{ type: 'event', offset: 2 }]);
  });

  it('[L-9.16] a subscriber that joins a rate after a drop misses nothing', async () => {
    const { test, peer, publish } = await rated(slowly('skip'));
    await publish(20);
    const late = test.connect();
    await late.send({ type: 'subscribe', topic: 't', maxRate: 0.1 });
    late.received();
    await publish(1);
    test.clock.advance(10_000);
    expect(late.received()).toMatchObject([{ type: 'event', offset: 22 }]);
    expect(peer.received()).toMatchObject([{ type: 'lost', from: 2, to: 22 }]);
  });
});

describe('What waits elsewhere because of a peer', () => {
  it('[L-9.16] publications held for pending subscribes are counted once, and dropped above the total limit', async () => {
    const total = { ...limits, maxQueuedBytesTotal: 5_000 };
    const test = new TestLive({
      limits: total,
      rulesFor: () => ({ snapshot: () => new Promise(() => {}) }),
    });
    const peers = [test.connect(), test.connect()];
    for (const { send } of peers) await send({ type: 'subscribe', topic: 't' });
    for (let i = 0; i < 4; i++) await test.live.publish('t', data);
    const { queuedBytes } = test.live.stats();
    expect([queuedBytes > 4_000, queuedBytes < 5_000]).toEqual([true, true]);
    for (let i = 0; i < 4; i++) await test.live.publish('t', data);
    await test.clock.settle();
    expect(test.live.stats().queuedBytes).toBeLessThan(5_000);
    for (const { session } of peers) session.finished(1000, '');
    await test.clock.settle();
    expect(test.live.stats()).toMatchObject({ queuedBytes: 0, topics: 0 });
  });

  it('[L-9.16] [L-4.9] publications gathered by a topic are counted', async () => {
    const test = new TestLive({ rulesFor: () => ({ delivery: { flushMs: 1_000 } }) });
    const { send } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    await test.live.publish('t', data);
    expect(test.live.stats().queuedBytes).toBeGreaterThan(1_000);
    test.clock.advance(1_000);
    expect(test.live.stats().queuedBytes).toBe(0);
  });
});

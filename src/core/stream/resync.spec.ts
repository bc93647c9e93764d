import { describe, expect, it } from 'vitest';
import { LossyBroker } from '../../../test/support/lossy-broker.js';
import { TestLive, type TestPeer } from '../../testing/test-live.js';
import type { Topic } from '../fanout/topic.js';
import type { TopicRules } from '../ports/policy.js';
import type { Resync } from './resync.js';

const event = (offset: number) => ({ type: 'event', topic: 't', offset, data: offset });
const lost = (from: number, to: number) => ({ type: 'lost', topic: 't', from, to, count: to - from + 1 });
const text = expect.any(String) as unknown;
const pushed = (offset: number, more: object = {}) => ({
  type: 'subscribed',
  topic: 't',
  epoch: text,
  offset,
  recovered: false,
  ...more,
});

/** The internal parts of `Live`. */
interface Inside {
  readonly hub: { find(name: string): Topic | undefined };
  readonly continuity: { readonly parts: { readonly resync: Resync } };
}

/** Peers subscribed to `t` at offset 2. Each snapshot waits until the test provides it. */
async function start(rules: Partial<TopicRules> | undefined = undefined) {
  const made: { broker?: LossyBroker } = {};
  const waiting: { readonly give: (state: unknown) => void; readonly fail: () => void }[] = [];
  const told: string[] = [];
  let prompt = true;
  const snapshot = (): unknown =>
    prompt
      ? 'first'
      : new Promise((give, fail) => waiting.push({ give, fail: () => fail(new Error('no state')) }));
  const test = new TestLive({
    broker: (memory) => (made.broker = new LossyBroker(memory)),
    rulesFor: () => rules ?? { snapshot },
    observer: { restarted: (how, count) => told.push(`${how} ${String(count)}`) },
  });
  const timers = test.clock.timerCount;
  const peers = [test.connect(), test.connect()] as const;
  for (const { send } of peers) await send({ type: 'subscribe', topic: 't' });
  for (const data of [1, 2]) await test.publish('t', data);
  for (const { received } of peers) received();
  prompt = false;
  const { hub, continuity } = test.live as unknown as Inside;
  const begin = async (of: readonly TestPeer[], from?: number): Promise<void> => {
    const topic = hub.find('t');
    if (topic === undefined) throw new Error('nobody reads it');
    const connections = of.map(({ session }) => session.connection);
    const all = [...topic.subscriptions, ...topic.paused];
    const subscriptions = all.filter(({ connection }) => connections.includes(connection));
    const lostFrom = from === undefined ? undefined : () => from;
    continuity.parts.resync.begin(topic, { ...open, ...(rules ?? { snapshot }) }, subscriptions, lostFrom);
    await test.clock.settle();
  };
  const later = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      test.clock.advance(100);
      for (const { session } of peers) session.heard();
      await test.clock.settle();
    }
  };
  const give = async (state: unknown): Promise<void> => {
    waiting.shift()?.give(state);
    await test.clock.settle();
  };
  const fail = async (): Promise<void> => {
    waiting.shift()?.fail();
    await test.clock.settle();
  };
  const { broker } = made;
  if (broker === undefined) throw new Error('no broker');
  return { test, broker, timers, peers, told, begin, later, give, fail, waiting };
}

const open = { canSubscribe: () => true, canPublish: () => true };

describe('Resync', () => {
  it('[L-5.8] a resync sends one subscription its loss, the snapshot, what was published since, then live events', async () => {
    const { test, peers, begin, give } = await start();
    const [slow, other] = peers;
    await begin([slow], 2);
    await test.publish('t', 3);
    expect([slow.received(), other.received()]).toEqual([[], [event(3)]]);
    await give('S');
    await test.publish('t', 4);
    expect(slow.received()).toEqual([lost(2, 2), pushed(2, { snapshot: 'S' }), event(3), event(4)]);
    expect(other.received()).toEqual([event(4)]);
  });

  it('[L-5.8] without snapshots a resync continues at once', async () => {
    const { test, peers, begin } = await start({ ...open });
    await begin([peers[0]], 1);
    await test.publish('t', 3);
    expect(peers[0].received()).toEqual([lost(1, 2), event(3)]);
  });

  it("[L-5.7] a resync without a known position starts at the topic's position", async () => {
    const { test, peers, begin } = await start({ ...open });
    await begin([peers[0]]);
    await test.publish('t', 3);
    expect(peers[0].received()).toEqual([pushed(2), event(3)]);
  });

  it('[L-6.2] one snapshot serves every waiting subscription and new subscribers', async () => {
    const { test, peers, begin, give, waiting } = await start();
    await begin(peers, 2);
    const late = test.connect();
    await late.send({ type: 'subscribe', id: 1, topic: 't' });
    expect(waiting).toHaveLength(1);
    await give('S');
    const expected = [lost(2, 2), pushed(2, { snapshot: 'S' })];
    expect(peers.map(({ received }) => received())).toEqual([expected, expected]);
    expect(late.received()).toEqual([{ ...pushed(2, { snapshot: 'S' }), id: 1 }]);
  });

  it('[L-5.8] subscribers with the same loss get the same bytes', async () => {
    const { peers, begin, give } = await start();
    await begin(peers, 2);
    await give('S');
    const [one, other] = peers.map(({ socket }) => socket.writes.at(-1));
    expect(one).toHaveLength(2);
    expect(one).toEqual(other);
  });

  it('a waiting subscription counts, is listed, and can be left, after which it gets nothing', async () => {
    const { test, peers, begin, give } = await start();
    const [one] = peers;
    await begin([one], 2);
    expect(test.live.stats()).toMatchObject({ subscriptions: 2, restarting: 1 });
    expect(test.live.registry.ofTopic('t')).toContain(one.session.connection);
    expect(one.session.connection.topics).toEqual(['t']);
    await one.send({ type: 'unsubscribe', id: 1, topic: 't' });
    await give('S');
    await test.publish('t', 3);
    expect(one.received()).toEqual([{ type: 'unsubscribed', id: 1, topic: 't' }]);
    expect(test.live.stats()).toMatchObject({ subscriptions: 1, restarting: 0 });
  });

  it('[L-3.5] a second subscribe replaces a waiting subscription', async () => {
    const { test, peers, begin, give } = await start();
    const [one] = peers;
    await begin([one], 2);
    await one.send({ type: 'subscribe', id: 2, topic: 't' });
    await give('nobody waits for this one any more');
    await give('S');
    await test.publish('t', 3);
    expect(one.received()).toEqual([{ ...pushed(2, { snapshot: 'S' }), id: 2 }, event(3)]);
  });

  it('the topic closes and nothing is awaited when the last waiting subscription has left', async () => {
    const { test, timers, peers, begin, later, fail } = await start();
    await begin(peers, 2);
    await fail();
    for (const { socket } of peers) socket.gone(1006, '');
    expect(test.live.stats()).toMatchObject({ topics: 0, subscriptions: 0, restarting: 0 });
    await later(20_000);
    expect(test.clock.timerCount).toBe(timers);
  });

  it('a repeated resync extends the loss of a waiting subscription', async () => {
    const { peers, begin, give, told } = await start();
    await begin([peers[0]], 2);
    await begin([peers[0]], 1);
    await give('S');
    expect(peers[0].received()).toEqual([lost(1, 2), pushed(2, { snapshot: 'S' })]);
    expect(told).toEqual(['done 1']);
  });

  it('a resync reports no offsets if the stream was replaced while it waited', async () => {
    const { test, broker, peers, begin, give, later } = await start();
    await begin([peers[0]], 2);
    await broker.lose('t');
    await test.publish('t', 1);
    await give('old');
    for (let i = 0; i < 3; i++) {
      await later(200);
      await give('new');
    }
    await test.publish('t', 2);
    const [first, ...rest] = peers[0].received() as { readonly offset: number }[];
    expect([first, ...rest.slice(-1)]).toEqual([pushed(first?.offset ?? -1, { snapshot: 'new' }), event(2)]);
  });

  it('[L-5.12] a failing snapshot is retried with back-off, and the connection is closed with 4003 in the end', async () => {
    const { peers, begin, fail, later, waiting, told } = await start();
    await begin([peers[0]], 2);
    let tries = 0;
    for (let i = 0; i < 20; i++) {
      tries += waiting.length;
      await fail();
      await later(5_000);
    }
    expect(tries).toBe(8);
    expect(peers[0].socket.closedWith).toEqual({ code: 4003, reason: 'position lost' });
    expect([peers[1].socket.closedWith, told]).toEqual([undefined, ['failed 1']]);
  });

  it('the attempts do not count while the broker is unavailable', async () => {
    const { peers, begin, broker, give, later, waiting } = await start();
    broker.goAway();
    await begin([peers[0]], 2);
    await later(60_000);
    expect([peers[0].socket.closedWith, waiting.length]).toEqual([undefined, 0]);
    broker.comeBack();
    await later(6_000);
    await give('S');
    expect(peers[0].received()).toEqual([lost(2, 2), pushed(2, { snapshot: 'S' })]);
  });

  it('a resync does not start for a subscriber that turns out to be too slow', async () => {
    const { test, peers, begin, give } = await start();
    await begin(peers, 2);
    peers[0].socket.bufferedBytes = 2_000_000;
    await give('x'.repeat(100_000));
    expect(peers[0].socket.closedWith?.code).toBe(1008);
    expect(test.live.stats()).toMatchObject({ subscriptions: 1, restarting: 0 });
    const types = (peers[1].received() as { type: string }[]).map(({ type }) => type);
    expect(types).toEqual(['lost', 'incoming', 'subscribed']);
  });
});

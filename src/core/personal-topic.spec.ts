import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LossyBroker } from '../../test/support/lossy-broker.js';
import { TestCluster, type TestInstance } from '../../test/support/test-cluster.js';
import type { MemoryBroker } from '../brokers/memory/memory-broker.js';
import type { Position } from '../protocol/position.js';
import { TestLive, type TestPeer } from '../testing/test-live.js';
import { requests } from './cluster/requests.js';
import type { Broker, BrokerSink, RecoveryLimits } from './ports/broker.js';
import { markedEpoch, storedTopicOf, unmarkedPosition } from './fanout/personal-topic.js';

const subscribe = { type: 'subscribe', topic: '$user' };
const event = (offset: number, data: unknown = offset) => ({ type: 'event', topic: '$user', offset, data });
const text = expect.any(String) as unknown;
const refusal = (topic: string) => ({
  type: 'error',
  code: 'forbidden',
  message: 'You may not do this with this topic',
  topic,
});

/** Publishes to a user and lets all work finish. */
async function toUser({ live, clock }: TestLive, user: string, data: unknown, options = {}): Promise<void> {
  await live.publishToUser(user, data, options);
  await clock.settle();
}

async function subscriber(test: TestLive, id: string, since?: unknown): Promise<TestPeer> {
  const peer = test.connect({ user: { id } });
  await peer.send({ ...subscribe, since });
  return peer;
}

/** A broker that loses what the test selects, and the reports of repairs. */
function lossy() {
  const made: { broker?: LossyBroker } = {};
  const healed: string[] = [];
  const test = new TestLive({
    broker: (memory) => (made.broker = new LossyBroker(memory)),
    observer: { healed: (how, topic) => healed.push(`${how} ${topic}`) },
  });
  const { broker } = made;
  if (broker === undefined) throw new Error('no broker');
  return { test, broker, healed };
}

/** Gives all topics the epoch `E`, as an engine may. */
function withOneEpoch(memory: MemoryBroker): Broker {
  const one = <P extends Position>(position: P): P => ({ ...position, epoch: 'E' });
  return Object.assign(Object.create(memory) as Broker, {
    start: (sink: BrokerSink) =>
      memory.start({ ...sink, publication: (topic, _epoch, each) => sink.publication(topic, 'E', each) }),
    publish: async (...call: Parameters<Broker['publish']>) => one(await memory.publish(...call)),
    read: async (topic: string, since: Position | undefined, limits: RecoveryLimits) => {
      const { top } = await memory.read(topic, undefined, limits);
      const own = since?.epoch === 'E' ? { ...since, epoch: top.epoch } : undefined;
      const { missed } = await memory.read(topic, own, limits);
      return { top: one(top), missed };
    },
  });
}

describe('personal topics', () => {
  it('[L-3.15] a publication for a user reaches all connections of that user and no other, under the name $user', async () => {
    const test = new TestLive();
    const [one, two, bob] = [
      await subscriber(test, 'ann'),
      await subscriber(test, 'ann'),
      await subscriber(test, 'bob'),
    ];
    await toUser(test, 'ann', 'for ann', { key: 'k' });
    await toUser(test, 'bob', 'for bob');
    const subscribed = { type: 'subscribed', topic: '$user', epoch: text, offset: 0, recovered: false };
    expect(one.received()).toEqual([subscribed, { ...event(1, 'for ann'), key: 'k' }]);
    expect(two.received()).toEqual([subscribed, { ...event(1, 'for ann'), key: 'k' }]);
    expect(bob.received()).toEqual([subscribed, event(1, 'for bob')]);
    expect(one.session.connection.topics).toEqual(['$user']);
  });

  it('[L-3.15] users whose ids differ in any character have different topics', () => {
    const id = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\ud800', '\udfff', 'a\0'),
    );
    fc.assert(
      fc.property(id, id, (one, other) => (storedTopicOf(one) === storedTopicOf(other)) === (one === other)),
    );
    expect(storedTopicOf('x'.repeat(1_024))).toMatch(/^\$user\/[\w-]{43}$/);
  });

  it('[L-3.15] a connection without a user is refused $user, and the application is not asked', async () => {
    const asked: string[] = [];
    const test = new TestLive({ rulesFor: (topic) => (asked.push(topic), {}) });
    const peer = test.connect({ user: null });
    await peer.send(subscribe);
    await toUser(test, 'ann', 1);
    expect(peer.received()).toEqual([refusal('$user')]);
    expect(asked).toEqual([]);
  });

  it.each([
    storedTopicOf('ann'),
    '$user/ann',
    '$user/',
    '$user/presence',
    '$users',
    '$User',
    '$',
    '$live/probe',
    '$auth',
  ])('[L-3.1] [L-3.15] a message of a client may not name the reserved topic %s', async (topic) => {
    const test = new TestLive();
    const peer = test.connect({ user: { id: 'bob' } });
    await peer.send({ type: 'subscribe', topic });
    await peer.send({ type: 'subscribe', topics: [{ topic }] });
    await peer.send({ type: 'unsubscribe', topic });
    await peer.send({ type: 'publish', topic, data: 1 });
    await toUser(test, 'ann', 1);
    expect(peer.received()).toMatchObject(Array.from({ length: 4 }, () => ({ code: 'protocol-violation' })));
  });

  it('[L-3.14] [L-3.15] $user may be one of the topics of a list, and be left in one', async () => {
    const test = new TestLive();
    const peer = test.connect();
    await peer.send({ type: 'subscribe', id: 1, topics: [{ topic: 't' }, { topic: '$user' }] });
    await peer.send({ type: 'unsubscribe', id: 2, topics: ['$user'] });
    await toUser(test, 'ann', 1);
    expect(peer.received()).toMatchObject([
      { type: 'subscribed', id: 1, topic: 't' },
      { type: 'subscribed', id: 1, topic: '$user' },
      { type: 'unsubscribed', id: 2, topic: '$user' },
    ]);
    expect(test.live.stats().topics).toBe(1);
  });

  it('[L-3.8] [L-3.15] $user counts as one topic of its connection', async () => {
    const test = new TestLive({ limits: { maxTopicsPerConnection: 1 } });
    const peer = await subscriber(test, 'ann');
    await peer.send({ type: 'subscribe', topic: 't' });
    expect(peer.received()).toMatchObject([
      { type: 'subscribed' },
      { type: 'error', code: 'limit-exceeded' },
    ]);
  });

  it('[L-3.16] a client cannot publish to $user, not even where the application lets it publish everywhere', async () => {
    const test = new TestLive();
    const peer = await subscriber(test, 'ann');
    await peer.send({ type: 'publish', topic: '$user', data: 1 });
    await peer.send({ type: 'publish', topic: '$user', key: 'k', remove: true });
    expect(peer.received().slice(1)).toEqual([refusal('$user'), refusal('$user')]);
  });

  it('[L-3.16] the application publishes to a user by the id only, which has 1 to 1,024 characters', async () => {
    const { live } = new TestLive();
    const wrong = { code: 'validation-failed' };
    for (const name of ['$user', storedTopicOf('ann')])
      await expect(live.publish(name, 1)).rejects.toMatchObject(wrong);
    for (const id of ['', 'x'.repeat(1_025), 7 as unknown as string])
      await expect(live.publishToUser(id, 1)).rejects.toMatchObject(wrong);
    await expect(live.publishToUser('ann', undefined)).rejects.toMatchObject(wrong);
    await expect(live.publishToUser('x'.repeat(1_024), 1)).resolves.toMatchObject({ offset: 1 });
  });

  it('an idempotency key and a version suppress a publication for a user as on any topic', async () => {
    const { live } = new TestLive();
    const once = { idempotencyKey: 'i' };
    await live.publishToUser('ann', 1, once);
    expect(await live.publishToUser('ann', 1, once)).toMatchObject({ offset: 1, suppressed: 'duplicate' });
    expect(await live.publishToUser('bob', 1, once)).not.toHaveProperty('suppressed');
    await live.publishToUser('ann', 2, { key: 'k', version: 2 });
    expect(await live.publishToUser('ann', 1, { key: 'k', version: 1 })).toMatchObject({
      suppressed: 'stale',
    });
  });

  it('[L-3.16] [L-5.2] a connection that comes back gets what was published for its user while it was away', async () => {
    const test = new TestLive();
    const first = await subscriber(test, 'ann');
    await toUser(test, 'ann', 1);
    const [{ epoch }] = first.received() as [{ epoch: string }];
    first.socket.close(1001, '');
    await toUser(test, 'ann', 2);
    await toUser(test, 'ann', 3);
    const again = await subscriber(test, 'ann', { epoch, offset: 1 });
    expect(again.received()).toEqual([
      { type: 'subscribed', topic: '$user', epoch, offset: 1, recovered: true },
      event(2),
      event(3),
    ]);
    const bob = await subscriber(test, 'bob', { epoch, offset: 1 });
    expect(bob.received()).toMatchObject([{ type: 'subscribed', offset: 0, recovered: false }]);
  });

  it('[L-3.15] [L-5.2] a position of one user is no position of another, also where all topics have one epoch', async () => {
    const test = new TestLive({ broker: withOneEpoch });
    const known = async (user: string, since: unknown): Promise<unknown> =>
      (await subscriber(test, user, since)).received()[0];
    for (const user of ['ann', 'bob']) for (const n of [1, 2, 3]) await test.live.publishToUser(user, n);
    const ann = await test.live.publishToUser('ann', 4);
    expect(ann.epoch).toMatch(/^E~[\w-]{8}$/);
    expect(await known('ann', { ...ann, offset: 2 })).toMatchObject({ recovered: true, offset: 2 });
    for (const offset of [0, 1, 2, 3])
      expect(await known('bob', { ...ann, offset })).toMatchObject({ recovered: false, offset: 3 });
    expect(await known('bob', { epoch: 'E', offset: 3 })).toMatchObject({ recovered: false });
  });

  it('[L-5.2] [L-3.15] an epoch of any allowed length gives a position of at most 64 characters that is recovered', () => {
    for (let length = 1; length <= 64; length++) {
      const position = { epoch: 'e'.repeat(length), offset: 1 };
      const epoch = markedEpoch(storedTopicOf('ann'), position.epoch);
      expect(epoch.length).toBeLessThanOrEqual(64);
      expect(unmarkedPosition(storedTopicOf('ann'), { epoch, offset: 1 })).toEqual(position);
    }
  });

  it('[L-3.16] what was missed is not recovered after five minutes or 100 publications', async () => {
    const test = new TestLive();
    const first = await subscriber(test, 'ann');
    const [{ epoch }] = first.received() as [{ epoch: string }];
    await first.send({ type: 'unsubscribe', topic: '$user' });
    for (let i = 1; i <= 101; i++) await test.live.publishToUser('ann', i);
    const recovered = async (offset: number): Promise<unknown> => {
      const { received } = await subscriber(test, 'ann', { epoch, offset });
      return (received()[0] as { recovered: boolean }).recovered;
    };
    expect([await recovered(0), await recovered(1)]).toEqual([false, true]);
    test.clock.advance(300_001);
    expect(await recovered(100)).toBe(false);
  });

  it('[L-3.15] [L-4.7] merged events and events that are too large name $user', async () => {
    const test = new TestLive();
    const peer = test.connect();
    await peer.send({ ...subscribe, maxRate: 1, maxMessageBytes: 1_024 });
    await toUser(test, 'ann', 1);
    await toUser(test, 'ann', 2);
    await toUser(test, 'ann', 3);
    test.clock.advance(1_000);
    await toUser(test, 'ann', 'x'.repeat(2_000));
    test.clock.advance(1_000);
    expect(peer.received().slice(1)).toEqual([
      event(1),
      { ...event(3), from: 2 },
      { type: 'lost', topic: '$user', from: 4, to: 4, count: 1 },
    ]);
  });

  it('[L-3.15] [L-5.9] a gap is repaired, and is named $user to the client and in the log', async () => {
    const { test, broker, healed } = lossy();
    const peer = await subscriber(test, 'ann');
    await toUser(test, 'ann', 1);
    broker.carries = () => false;
    await toUser(test, 'ann', 2);
    broker.carries = () => true;
    await toUser(test, 'ann', 3);
    expect(peer.received().slice(1)).toEqual([event(1), event(2), event(3)]);
    broker.carries = () => false;
    for (let i = 4; i <= 105; i++) await toUser(test, 'ann', i);
    broker.carries = () => true;
    await toUser(test, 'ann', 106);
    expect(peer.received()).toEqual([
      { type: 'lost', topic: '$user', from: 4, to: 105, count: 102 },
      event(106),
    ]);
    expect(healed).toEqual(['healed $user', 'lost $user']);
  });

  it('[L-3.15] [L-5.7] [L-5.14] a pushed subscribed of a lost or restarted stream names $user', async () => {
    const { test, broker, healed } = lossy();
    const peer = await subscriber(test, 'ann');
    await toUser(test, 'ann', 1);
    const topic = storedTopicOf('ann');
    await broker.restart(topic);
    broker.suspect(topic);
    await test.clock.settle();
    await broker.lose(topic);
    broker.suspect(topic);
    await test.clock.settle();
    const pushed = { type: 'subscribed', topic: '$user' };
    const epochOf = (n: number): string => markedEpoch(topic, `epoch-${String(n)}`);
    expect(peer.received().slice(2)).toEqual([
      { ...pushed, epoch: epochOf(1), offset: 1, recovered: true },
      { ...pushed, epoch: epochOf(2), offset: 0, recovered: false },
    ]);
    expect(healed).toEqual(['continued $user', 'new-epoch $user']);
  });

  it('[L-7.2] [L-3.15] a credential of another user changes nothing, and one of the same user keeps the subscription', async () => {
    const test = new TestLive({ verify: async (token) => ({ user: { id: token, role: 'new' } }) });
    const peer = await subscriber(test, 'ann');
    await peer.send({ type: 'auth', token: 'bob' });
    await peer.send({ type: 'auth', token: 'ann' });
    await toUser(test, 'bob', 'for bob');
    await toUser(test, 'ann', 'for ann');
    expect(peer.received().slice(1)).toMatchObject([
      { type: 'error', code: 'forbidden' },
      { type: 'authenticated' },
      event(1, 'for ann'),
    ]);
  });

  it('[L-3.13] [L-3.15] commands about a user reach the subscriptions to $user on all instances', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    const ann = [await a.reader('ann', '$user'), await b.reader('ann', '$user')];
    const bob = await b.reader('bob', '$user');
    const give = (command: Parameters<typeof a.test.live.cluster.give>[0]) =>
      cluster.during(a.test.live.cluster.give(command), 2_000);
    expect(await give(requests.count('$user'))).toMatchObject({ byInstance: { a: 1, b: 2 } });
    expect(await give(requests.reauthorize({ user: 'ann', topic: '$user' }))).toMatchObject({ total: 0 });
    for (const { test } of [a, b]) await toUser(test, 'ann', 1);
    expect(ann.map(({ received }) => received())).toEqual([[event(1)], [event(1)]]);
    expect(await give(requests.unsubscribeUser('ann', '$user'))).toMatchObject({
      byInstance: { a: 1, b: 1 },
    });
    const ended = {
      type: 'unsubscribed',
      topic: '$user',
      code: 'forbidden',
      reason: 'unsubscribed by the application',
    };
    for (const { test } of [a, b]) await toUser(test, 'ann', 2);
    expect(ann.map(({ received }) => received())).toEqual([[ended], [ended]]);
    await give(requests.disconnectUser('bob'));
    expect([bob.socket.closedWith?.code, b.test.live.stats().topics]).toEqual([4503, 0]);
  });

  it('all connections of a user share one frame for each publication', async () => {
    const test = new TestLive();
    const frames: Uint8Array[] = [];
    for (const { socket } of [await subscriber(test, 'ann'), await subscriber(test, 'ann')])
      socket.write = (bytes) => void frames.push(bytes);
    await toUser(test, 'ann', 1);
    expect(frames).toHaveLength(2);
    expect(frames[0]).toBe(frames[1]);
  });

  it('[L-3.15] messages of the server never show the stored name of a personal topic', async () => {
    const { test, broker } = lossy();
    const peer = await subscriber(test, 'ann');
    broker.carries = (_topic, { offset }) => offset % 3 !== 0;
    for (let i = 1; i <= 9; i++) await toUser(test, 'ann', i);
    await broker.lose(storedTopicOf('ann'));
    broker.suspect();
    await test.clock.settle();
    await peer.send({ type: 'unsubscribe', topic: '$user' });
    expect(peer.received().length).toBeGreaterThan(9);
    expect(JSON.stringify(peer.socket.messages)).not.toContain('$user/');
  });
});

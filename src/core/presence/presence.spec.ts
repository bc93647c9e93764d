import { describe, expect, it } from 'vitest';
import { TestCluster, type TestInstance } from '../../../test/support/test-cluster.js';
import { type SignalBody, signalText } from '../cluster/signal.js';
import { requests } from '../cluster/requests.js';
import type { LiveUser } from '../ports/identity.js';
import { maxSignalBytes } from '../ports/broker.js';
import type { PresenceRules } from '../ports/policy.js';
import { TestLive, type TestPeer } from '../../testing/test-live.js';

const withPresence = (presence: Partial<PresenceRules> = {}) => ({
  rulesFor: (topic: string) =>
    topic.startsWith('room/') ? { presence: { graceMs: 5_000, ...presence } } : {},
});

const cluster = (presence: Partial<PresenceRules> = {}) => new TestCluster(withPresence(presence));

const members = ({ test }: { test: TestLive }, topic = 'room/1') =>
  test.live.audience.presence.members(topic);

const twice = <T>(value: T): [T, T] => [value, value];

/** Short form of the messages to a watcher. */
const told = ({ received }: TestPeer): string[] =>
  received().map((message) => {
    const { type, data } = message as { type: string; data?: { event: string; member: { id: string } } };
    return data === undefined ? type : `${data.event} ${data.member.id}`;
  });

describe('presence', () => {
  it('[L-11.2] a user with three connections on two instances is one member', async () => {
    const world = cluster();
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    for (const instance of [a, b, b]) await instance.reader('ann', 'room/1');
    const nobody = a.test.connect({ user: null });
    await nobody.send({ type: 'subscribe', topic: 'room/1' });
    await b.reader('bob', 'room/1', 'room/2');
    await world.pass(200);
    const here = [
      { id: 'ann', connections: 3 },
      { id: 'bob', connections: 1 },
    ];
    expect([members(a), members(b)]).toEqual([here, here]);
    expect(members(a, 'room/2')).toEqual([{ id: 'bob', connections: 1 }]);
    expect(a.test.live.audience.presence.size).toBe(3);
  });

  it('[L-11.8] a user whose id other instances would reject is not a member anywhere, and hides no other member', async () => {
    const failures: string[] = [];
    const world = new TestCluster({
      ...withPresence(),
      observer: { failed: (doing, error) => failures.push(`${doing}: ${String(error)}`) },
    });
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    const long = await a.reader('x'.repeat(1_025), 'room/1');
    await a.reader('ann', 'room/1');
    await world.pass(2_000);
    const here = [{ id: 'ann', connections: 1 }];
    expect([members(a), members(b)]).toEqual([here, here]);
    const states = (): number => world.bus.texts.filter((text) => text.includes('"type":"state"')).length;
    const before = states();
    await world.pass(10_000);
    expect([b.test.live.stats().signalsRejectedTotal, states() - before]).toEqual([0, 0]);
    long.socket.gone(1006, '');
    await a.reader('bob', 'room/1');
    await world.pass(10_000);
    expect(members(b).map(({ id }) => id)).toEqual(['ann', 'bob']);
    expect(failures).toEqual([
      "announcing a member: RangeError: A member's id must have 1 to 1024 characters",
    ]);
  });

  it('[L-11.8] fields that are nested too deeply are not shown, and their member hides no other one', async () => {
    const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1) });
    const world = cluster({ fields: ({ id }) => deep(id === 'ann' ? 16 : 15) });
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    await a.reader('ann', 'room/1');
    await a.reader('bob', 'room/1');
    await world.pass(2_000);
    const here = [
      { id: 'ann', connections: 1 },
      { id: 'bob', connections: 1, ...deep(15) },
    ];
    expect([members(a), members(b)]).toEqual([here, here]);
    expect(b.test.live.stats()).toMatchObject({ signalsRejectedTotal: 0, presenceMembersRejectedTotal: 0 });
  });

  it('[L-11.8] an invalid member sent by another instance hides no other one, and is not requested again', async () => {
    const world = cluster();
    const [b] = (await world.start('b')) as [TestInstance];
    const tell = (body: SignalBody): void => void world.bus.shout(signalText('old', body));
    tell({ type: 'hello', instanceId: 'old', seq: 0 });
    const wrong = ['room/1', 'x'.repeat(1_025), 1, '{}'] as const;
    tell({ type: 'changes', seq: 1, changes: [wrong, ['room/1', 'ann', 1, '{}']] });
    tell({ type: 'changes', seq: 2, changes: [['room/1', 'bob', 1, '{}']] });
    await world.pass(1_000);
    expect(members(b).map(({ id }) => id)).toEqual(['ann', 'bob']);
    expect(b.test.live.stats().presenceMembersRejectedTotal).toBe(1);
    expect(world.bus.texts.filter((text) => text.includes('"type":"ask"'))).toEqual([]);
  });

  it('[L-11.3] a member shows its id and the exposed fields, and nothing else', async () => {
    const world = cluster({
      fields: (user: LiveUser) => ({ name: user['name'], id: 'forged', connections: 9 }),
    });
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    await a.reader({ id: 'bob', name: 'Bob', secret: 's' }, 'room/1');
    await a.reader({ id: 'ann', name: 'Ann', secret: 's' }, 'room/1');
    await world.pass(200);
    const watcher = await b.reader('eve');
    await watcher.send({ type: 'subscribe', topic: 'room/1/presence' });
    expect(watcher.received()).toMatchObject([
      {
        type: 'subscribed',
        snapshot: [
          { id: 'ann', name: 'Ann', connections: 9 },
          { id: 'bob', name: 'Bob', connections: 9 },
        ],
      },
    ]);
    expect(members(b)).toEqual([
      { id: 'ann', name: 'Ann', connections: 1 },
      { id: 'bob', name: 'Bob', connections: 1 },
    ]);
    expect(world.bus.texts.join()).toContain('Bob');
    expect(world.bus.texts.join()).not.toContain('secret');
  });

  it.each([
    ['throws', () => Promise.reject(new Error('x')) as never],
    ['returns too much', () => ({ long: 'x'.repeat(1_024) })],
    ['returns no object', () => ['x']],
    ['returns nothing', () => undefined as never],
  ])('[L-11.3] a member shows only its id if `fields` %s, and the error is logged', async (_how, fields) => {
    const failures: string[] = [];
    const test = new TestLive({
      ...withPresence({
        fields:
          _how === 'throws'
            ? () => {
                throw new Error('x');
              }
            : fields,
      }),
      observer: { failed: (doing) => failures.push(doing) },
    });
    await test.connect().send({ type: 'subscribe', topic: 'room/1' });
    expect(test.live.audience.presence.members('room/1')).toEqual([{ id: 'ann', connections: 1 }]);
    expect(failures).toEqual(['asking what presence shows of a user']);
  });

  it('[L-11.1] readers of a topic may read its presence topic, and no client may publish to it', async () => {
    const test = new TestLive({
      rulesFor: (topic) =>
        topic === 'room/1'
          ? { presence: { graceMs: 0 }, canSubscribe: (user) => user?.id === 'ann', canPublish: () => true }
          : topic === 'plain' || topic.length > 119
            ? { presence: undefined as never }
            : undefined,
    });
    const [ann, eve] = [test.connect(), test.connect({ user: { id: 'eve' } })];
    for (const topic of ['room/1/presence', 'plain/presence', 'room/1/presence/presence'])
      await ann.send({ type: 'subscribe', topic });
    await ann.send({ type: 'publish', topic: 'room/1/presence', data: {} });
    await eve.send({ type: 'subscribe', topic: 'room/1/presence' });
    expect(ann.received()).toMatchObject([
      { type: 'subscribed', snapshot: [] },
      { type: 'error', code: 'forbidden' },
      { type: 'error', code: 'forbidden' },
      { type: 'error', code: 'forbidden' },
    ]);
    expect(eve.received()).toMatchObject([{ type: 'error', code: 'forbidden' }]);
    const failure = { code: 'validation-failed' };
    await expect(test.live.publish('room/1/presence', {})).rejects.toMatchObject(failure);
    for (const topic of ['plain', 'room/1/presence', 'no', 'a b', 7])
      expect(() => test.live.audience.presence.members(topic as string)).toThrow(
        expect.objectContaining(failure),
      );
  });

  it('[L-11.1] [L-3.12] [L-3.13] a user who may no longer read a topic loses its presence topic as well', async () => {
    let allowed = true;
    const rules = { presence: { graceMs: 0 }, canSubscribe: async () => allowed };
    const test = new TestLive({ rulesFor: (topic) => (topic.startsWith('room/') ? rules : {}) });
    const [ann, bob] = [test.connect(), test.connect({ user: { id: 'bob' } })];
    for (const { send, received } of [ann, bob]) {
      for (const topic of ['room/1', 'room/1/presence', 'x', 'x/presence'])
        await send({ type: 'subscribe', topic });
      await test.clock.settle();
      received();
    }
    ann.received();
    const ended = ({ received }: TestPeer) =>
      received().flatMap((message) => {
        const { type, topic, code } = message as Record<string, string>;
        return type === 'unsubscribed' ? [`${String(topic)} ${String(code)}`] : [];
      });
    const both = ['room/1 forbidden', 'room/1/presence forbidden'];
    await test.live.cluster.give(requests.unsubscribeUser('bob', 'room/1'));
    test.clock.flush();
    expect([ended(ann), ended(bob)]).toEqual([[], both]);
    // Beside a topic without presence this is an ordinary topic.
    await test.live.cluster.give(requests.unsubscribeUser('bob', 'x'));
    test.clock.flush();
    expect(ended(bob)).toEqual(['x forbidden']);
    allowed = false;
    await test.live.cluster.give(requests.reauthorize({ topic: 'room/1' }));
    test.clock.flush();
    expect(ended(ann)).toEqual(both);
  });

  it('[L-11.1] a topic whose presence topic would be too long has members but no presence topic', async () => {
    const test = new TestLive({ rulesFor: () => ({ presence: { graceMs: 0 } }) });
    const topic = 'x'.repeat(120);
    const peer = test.connect();
    await peer.send({ type: 'subscribe', topic });
    expect(test.live.audience.presence.members(topic)).toEqual([{ id: 'ann', connections: 1 }]);
    await peer.send({ type: 'subscribe', topic: `${topic}/presence` });
    expect(peer.received().at(-1)).toMatchObject({ type: 'error', code: 'protocol-violation' });
  });

  it('[L-11.4] a join or leave is announced once on every instance', async () => {
    const world = cluster({ fields: ({ mood = 'good' }) => ({ mood }) });
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    const watchers = await Promise.all([a, b].map(({ reader }) => reader('eve', 'room/1/presence')));
    const tabs = [
      await a.reader('ann', 'room/1'),
      await b.reader('ann', 'room/1'),
      await a.reader('ann', 'room/1'),
    ];
    await world.pass(200);
    for (const tab of tabs) tab.socket.gone(1006, '');
    await world.pass(5_200);
    for (const watcher of watchers) {
      const news = watcher.received();
      expect(news).toEqual([
        {
          type: 'event',
          topic: 'room/1/presence',
          offset: 1,
          data: { event: 'join', member: { id: 'ann', mood: 'good' } },
          key: 'ann',
        },
        {
          type: 'event',
          topic: 'room/1/presence',
          offset: 2,
          data: { event: 'leave', member: { id: 'ann', mood: 'good' } },
          key: 'ann',
        },
      ]);
    }
    const moody = await a.reader({ id: 'ann', mood: 'good' }, 'room/1');
    await world.pass(100);
    await a.reader({ id: 'ann', mood: 'bad' }, 'room/1');
    moody.socket.gone(1006, '');
    await world.pass(200);
    expect(watchers.map(told)).toEqual(twice(['join ann', 'update ann']));
    expect([members(a), members(b)]).toEqual(twice([{ id: 'ann', mood: 'bad', connections: 1 }]));
  });

  it('[L-11.4] members with ids too long for a key are kept apart, even for clients with a rate', async () => {
    const test = new TestLive(withPresence());
    const watcher = test.connect();
    await watcher.send({ type: 'subscribe', topic: 'room/1/presence', maxRate: 1 });
    for (const end of ['a', 'b', 'c'])
      await test
        .connect({ user: { id: 'x'.repeat(128) + end } })
        .send({ type: 'subscribe', topic: 'room/1' });
    test.clock.advance(2_000);
    expect(told(watcher).map((text) => text.at(-1))).toEqual(['d', 'a', 'b', 'c']);
  });

  it('[L-11.5] a user who may come back, to this instance or another, gets a grace period', async () => {
    const world = cluster();
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    const watcher = await b.reader('eve', 'room/1/presence');
    const first = await a.reader('ann', 'room/1');
    await world.pass(200);
    first.socket.gone(1006, '');
    await world.pass(4_000);
    expect(members(b)).toEqual([{ id: 'ann', connections: 0 }]);
    const second = await b.reader('ann', 'room/1');
    await world.pass(10_000);
    await second.send({ type: 'subscribe', topic: 'room/1' });
    expect([members(a), told(watcher)]).toEqual([[{ id: 'ann', connections: 1 }], ['join ann']]);
    await second.send({ type: 'unsubscribe', topic: 'room/1' });
    await world.pass(4_900);
    expect(told(watcher)).toEqual([]);
    await world.pass(300);
    expect([members(a), members(b), told(watcher)]).toEqual([[], [], ['leave ann']]);
  });

  it('[L-11.5] a user who was closed for good, or has a grace period of 0, leaves at once', async () => {
    const test = new TestLive(withPresence());
    await test.connect().send({ type: 'subscribe', topic: 'room/1' });
    test.live.registry.disconnect('ann', 4000);
    expect(test.live.audience.presence.members('room/1')).toEqual([{ id: 'ann', connections: 0 }]);
    await test.connect().send({ type: 'subscribe', topic: 'room/1' });
    test.live.registry.disconnect('ann');
    expect(test.live.audience.presence.members('room/1')).toEqual([]);
    const hasty = new TestLive(withPresence({ graceMs: 0 }));
    const { send, socket } = hasty.connect();
    await send({ type: 'subscribe', topic: 'room/1' });
    socket.gone(1006, '');
    expect(hasty.live.audience.presence.members('room/1')).toEqual([]);
  });

  it('[L-11.6] presence is right 6 s after an instance died, also for users who moved to another one', async () => {
    const world = cluster();
    const [a, b, c] = (await world.start('a', 'b', 'c')) as [TestInstance, TestInstance, TestInstance];
    const watcher = await a.reader('eve', 'room/1/presence');
    for (const user of ['ann', 'bob']) await b.reader(user, 'room/1');
    await world.pass(200);
    await c.reader('cid', 'room/1');
    await world.pass(200);
    world.kill(b);
    await world.pass(3_000);
    await c.reader('ann', 'room/1');
    await world.pass(3_100);
    const left = [
      { id: 'ann', connections: 1 },
      { id: 'cid', connections: 1 },
    ];
    expect([members(a), members(c)]).toEqual([left, left]);
    expect(told(watcher)).toEqual(['join ann', 'join bob', 'join cid', 'leave bob']);
  });

  it('[L-11.5] the clients of an instance that said goodbye get a grace period', async () => {
    const world = cluster();
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    const watcher = await a.reader('eve', 'room/1/presence');
    for (const user of ['ann', 'bob']) await b.reader(user, 'room/1');
    await world.pass(200);
    // Its sockets are closed after the goodbye.
    await b.test.live.close();
    await world.pass(2_000);
    expect(members(a).map(({ connections }) => connections)).toEqual([0, 0]);
    await a.reader('ann', 'room/1');
    await world.pass(2_900);
    expect(told(watcher)).toEqual(['join ann', 'join bob']);
    await world.pass(200);
    expect([members(a), told(watcher)]).toEqual([[{ id: 'ann', connections: 1 }], ['leave bob']]);
  });

  it('presence is complete again when a suspended or disconnected instance comes back', async () => {
    const world = cluster();
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    await b.reader('ann', 'room/1');
    await world.pass(200);
    b.end.connected = false;
    await world.pass(6_000);
    expect([members(a), members(b)]).toEqual([[], [{ id: 'ann', connections: 1 }]]);
    await b.reader('bob', 'room/1');
    await a.reader('cid', 'room/1');
    await world.pass(60_000);
    b.end.connected = true;
    await world.pass(3_000);
    const all = ['ann', 'bob', 'cid'].map((id) => ({ id, connections: 1 }));
    expect([members(a), members(b)]).toEqual([all, all]);
  });

  it('presence keeps its last state while the engine is unavailable, and is right soon after', async () => {
    const world = cluster();
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    await a.reader('ann', 'room/1');
    const bob = await b.reader('bob', 'room/1');
    await world.pass(200);
    for (const { end } of [a, b]) end.setAvailable(false);
    bob.socket.gone(1006, '');
    await world.pass(60_000);
    expect(members(a).map(({ id }) => id)).toEqual(['ann', 'bob']);
    for (const { end } of [a, b]) end.setAvailable(true);
    await world.pass(2_000);
    expect([members(a), members(b)]).toEqual(twice([{ id: 'ann', connections: 1 }]));
  });

  it('[L-11.7] each instance has its own presence stream, and a client that moves starts from the list', async () => {
    const world = cluster();
    const [a, b] = (await world.start('a', 'b')) as [TestInstance, TestInstance];
    const [here, there] = [await a.reader('eve'), await b.reader('eve')];
    const subscribe = async (peer: TestPeer, since?: unknown) => {
      await peer.send({ type: 'subscribe', topic: 'room/1/presence', since });
      return peer.received()[0] as { epoch: string; offset: number };
    };
    const { epoch, offset } = await subscribe(here);
    await subscribe(await a.reader('zoe'));
    await a.reader('ann', 'room/1');
    await world.pass(200);
    expect(told(here)).toEqual(['join ann']);
    const again = await a.reader('eve');
    await again.send({ type: 'subscribe', topic: 'room/1/presence', since: { epoch, offset } });
    expect(again.received()).toMatchObject([
      { recovered: true, offset },
      { type: 'event', offset: 1 },
    ]);
    expect(await subscribe(there, { epoch, offset })).toMatchObject({
      recovered: false,
      snapshot: [{ id: 'ann' }],
    });
  });

  it('topics without presence cause no signal, no timer and no member', async () => {
    const world = cluster();
    const [a] = (await world.start('a', 'b')) as [TestInstance];
    const sent = world.bus.sent.length;
    const timers = world.clock.timerCount;
    await a.reader('ann', 'plain');
    await world.pass(100);
    expect(world.bus.sent.slice(sent).filter((type) => type !== 'hello')).toEqual([]);
    expect([world.clock.timerCount, a.test.live.audience.presence.size]).toEqual([timers, 0]);
  });

  it('a single instance sends no presence signal', async () => {
    const test = new TestLive(withPresence());
    const timers = test.clock.timerCount;
    await test.connect().send({ type: 'subscribe', topic: 'room/1' });
    expect(test.live.audience.presence.members('room/1')).toEqual([{ id: 'ann', connections: 1 }]);
    expect(test.clock.timerCount).toBe(timers);
  });

  it('ten thousand members are sent in parts that fit into a signal, whatever their names', async () => {
    const world = cluster();
    const a = world.add('a');
    for (let i = 0; i < 10_000; i++) {
      const id = i < 300 ? `${'\u0000'.repeat(1_000)}${String(i)}` : `user-${String(i)}`;
      const peer = a.test.connect({ user: { id } });
      peer.session.received('{"type":"subscribe","topic":"room/1"}');
    }
    await world.pass(500);
    const b = world.add('b');
    await world.pass(2_000);
    expect(members(b)).toEqual(members(a));
    expect(b.test.live.audience.presence.size).toBe(10_000);
    expect(b.test.live.cluster.totals.rejected).toBe(0);
    const longest = Math.max(...world.bus.texts.map((text) => Buffer.byteLength(text)));
    expect(longest).toBeGreaterThan(100_000);
    expect(longest).toBeLessThan(maxSignalBytes);
  });
});

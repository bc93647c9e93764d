import { describe, expect, it } from 'vitest';
import { deferred } from '../../../test/support/deferred.js';
import { TestCluster, type TestInstance } from '../../../test/support/test-cluster.js';
import { LiveError } from '../../protocol/live.error.js';
import { TestLive } from '../../testing/test-live.js';
import type { Command } from './signal.js';
import { requests } from './requests.js';

const give = (cluster: TestCluster, { test }: TestInstance, command: Command, ms = 2_000) =>
  cluster.during(test.live.cluster.give(command), ms);

describe('a command to all instances', () => {
  it('[L-3.13] disconnectUser closes the connections of a user on every instance, and returns counts by instance', async () => {
    const cluster = new TestCluster();
    const [a, b, c] = (await cluster.start('a', 'b', 'c')) as [TestInstance, TestInstance, TestInstance];
    const peers = await Promise.all([a.reader('ann'), b.reader('ann'), b.reader('ann'), c.reader('bob')]);
    const result = await give(cluster, a, requests.disconnectUser('ann'));
    expect(result).toEqual({ total: 3, byInstance: { a: 1, b: 2, c: 0 }, missing: [] });
    const how = { code: 4503, reason: 'disconnected by the application' };
    expect(peers.map(({ socket }) => socket.closedWith)).toEqual([how, how, how, undefined]);
  });

  it('[L-3.13] unsubscribeUser ends the subscriptions of a user everywhere, at once here and within 2 s there', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    const [here, there, other] = [
      await a.reader('ann', 't', 'u'),
      await b.reader('ann', 't'),
      await b.reader('bob', 't'),
    ];
    const told = { type: 'unsubscribed', topic: 't', code: 'forbidden', reason: 'moved' };
    const result = a.test.live.cluster.give(requests.unsubscribeUser('ann', 't', { reason: 'moved' }));
    cluster.clock.flush();
    expect(here.received()).toEqual([told]);
    await cluster.pass(2_000);
    expect(await result).toEqual({ total: 2, byInstance: { a: 1, b: 1 }, missing: [] });
    expect(there.received()).toEqual([told]);
    for (const { test } of [a, b]) await test.publish('t', 1);
    expect([here.received(), there.received()]).toEqual([[], []]);
    expect(other.received()).toMatchObject([{ type: 'event' }]);
    expect(a.test.live.stats().subscriptions).toBe(1);
  });

  it('count returns the subscribers of a topic on all instances', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    for (const instance of [a, b, b]) await instance.reader('ann', 't');
    expect(await give(cluster, b, requests.count('t'))).toEqual({
      total: 3,
      byInstance: { b: 2, a: 1 },
      missing: [],
    });
  });

  it('a command given right after the start is answered by every running instance', async () => {
    const cluster = new TestCluster();
    const [a, b] = [cluster.add('a'), cluster.add('b')];
    await a.reader('ann', 't');
    const count = cluster.during(b.test.live.cluster.give(requests.count('t')), 2_000);
    expect(await count).toEqual({ total: 1, byInstance: { a: 1, b: 0 }, missing: [] });
  });

  it('a command without the engine is executed here at once, and on the others when the engine is back', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    const [here, there] = [await a.reader('ann'), await b.reader('ann')];
    for (const { end } of [a, b]) end.setAvailable(false);
    const result = await give(cluster, a, requests.disconnectUser('ann'));
    expect(result).toEqual({ total: 1, byInstance: { a: 1 }, missing: ['b'] });
    expect([here.socket.open, there.socket.open]).toEqual([false, true]);
    await cluster.pass(20_000);
    for (const { end } of [b, a]) end.setAvailable(true);
    await cluster.pass(2_000);
    expect(there.socket.open).toBe(false);
  });

  it('an instance that was away executes a command on its return, except for connections made since', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    const before = await b.reader('ann');
    b.end.connected = false;
    await cluster.pass(10_000);
    expect(a.test.live.cluster.instances.others).toEqual([]);
    const result = await give(cluster, a, requests.disconnectUser('ann', { code: 4000, reason: 'again' }));
    expect(result).toEqual({ total: 0, byInstance: { a: 0 }, missing: [] });
    await cluster.pass(10_000);
    const since = await b.reader('ann');
    b.end.connected = true;
    await cluster.pass(3_000);
    expect(before.socket.closedWith).toEqual({ code: 4000, reason: 'again' });
    expect(since.socket.open).toBe(true);
  });

  it('[L-3.13] disconnectUser also closes a connection whose handshake began before it', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    const handshakeStartedMs = cluster.clock.now();
    await cluster.pass(100);
    await give(cluster, a, requests.disconnectUser('ann', { code: 4500, reason: 'gone' }));
    const [late, other] = [
      b.test.connect({ handshakeStartedMs }),
      b.test.connect({ user: { id: 'bob' }, handshakeStartedMs }),
    ];
    const again = b.test.connect();
    expect([late, other, again].map(({ socket }) => socket.closedWith?.code)).toEqual([
      4500,
      undefined,
      undefined,
    ]);
    await cluster.pass(61_000, 1_000);
    await give(cluster, a, requests.disconnectUser('bob'));
    expect(b.test.connect({ handshakeStartedMs }).socket.open).toBe(true);
  });

  it('a command is executed once, however often it arrives', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    cluster.bus.weather = { loss: 0, twice: 1, delayMs: 1_500 };
    for (let i = 0; i < 10; i++) {
      const peer = await b.reader('ann', 't');
      const result = a.test.live.cluster.give(requests.unsubscribeUser('ann', 't'));
      let told: unknown[] = [];
      for (; told.length === 0; told = peer.received()) await cluster.pass(50);
      expect(told).toMatchObject([{ type: 'unsubscribed', code: 'forbidden' }]);
      await peer.send({ type: 'subscribe', topic: 't' });
      await cluster.pass(5_000);
      expect(peer.received()).toMatchObject([{ type: 'subscribed' }]);
      expect((await result).byInstance['b'] ?? 1).toBe(1);
      peer.socket.gone(1006, '');
    }
    expect(cluster.bus.sent.filter((type) => type === 'do').length).toBeGreaterThan(10);
    expect(a.test.live.cluster.commands.totals).toMatchObject({ given: 10, answered: 10 });
  });

  it('a command is repeated until it is answered, in a network that loses a third of the signals', async () => {
    const cluster = new TestCluster({}, { seed: 3 });
    const [a, b, c] = (await cluster.start('a', 'b', 'c')) as [TestInstance, TestInstance, TestInstance];
    cluster.bus.weather = { loss: 0.33, twice: 0, delayMs: 100 };
    for (let i = 0; i < 10; i++) {
      const peers = [await b.reader('ann'), await c.reader('ann')];
      await give(cluster, a, requests.disconnectUser('ann'), 6_000);
      expect(peers.map(({ socket }) => socket.open)).toEqual([false, false]);
    }
  });

  it('the result names instances that did not answer within 2 s, and does not wait for those that said goodbye', async () => {
    const cluster = new TestCluster();
    const [a, b, c] = (await cluster.start('a', 'b', 'c')) as [TestInstance, TestInstance, TestInstance];
    cluster.kill(b);
    let result: unknown;
    void a.test.live.cluster.give(requests.count('t')).then((is) => {
      result = is;
    });
    await cluster.pass(1_900);
    expect(result).toBeUndefined();
    await c.test.live.close();
    await cluster.pass(200);
    expect(result).toEqual({ total: 0, byInstance: { a: 0, c: 0 }, missing: ['b'] });
    await cluster.pass(6_000);
    expect(await give(cluster, a, requests.count('t'), 50)).toMatchObject({ missing: [] });
  });

  it('a command with invalid arguments is rejected with the reason', () => {
    const wrong = [
      () => requests.disconnectUser(''),
      () => requests.disconnectUser(7 as never),
      () => requests.disconnectUser('ann', { code: 1000 }),
      () => requests.disconnectUser('ann', { reason: 7 as never }),
      () => requests.unsubscribeUser('ann', 'a b'),
      () => requests.reauthorize({} as never),
      () => requests.reauthorize(undefined as never),
      () => requests.reauthorize({ topic: '/' }),
      () => requests.count(''),
    ];
    for (const make of wrong) expect(make).toThrow(expect.objectContaining({ code: 'validation-failed' }));
  });
});

describe('reauthorize', () => {
  it('[L-3.12] reauthorize ends subscriptions that are no longer allowed, of a user or of a topic', async () => {
    const revoked = new Set<string>();
    const rulesFor = (topic: string) => ({
      canSubscribe: async (user: { id: string } | null) => !revoked.has(`${user?.id ?? ''} ${topic}`),
    });
    const cluster = new TestCluster({ rulesFor });
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    const peers = await Promise.all([
      a.reader('ann', 't', 'u'),
      b.reader('ann', 't', 'u'),
      b.reader('bob', 't'),
    ]);
    for (const right of ['ann t', 'ann u', 'bob t']) revoked.add(right);
    expect(await give(cluster, a, requests.reauthorize({ user: 'ann', topic: 't' }))).toEqual({
      total: 2,
      byInstance: { a: 1, b: 1 },
      missing: [],
    });
    const told = (topic: string) => ({
      type: 'unsubscribed',
      topic,
      code: 'forbidden',
      reason: 'the right to read it has ended',
    });
    expect(peers.map(({ received }) => received())).toEqual([[told('t')], [told('t')], []]);
    expect(await give(cluster, b, requests.reauthorize({ topic: 't' }))).toMatchObject({ total: 1 });
    expect(await give(cluster, b, requests.reauthorize({ user: 'ann' }))).toMatchObject({ total: 2 });
    expect(peers.map(({ received }) => received())).toEqual([[told('u')], [told('u')], [told('t')]]);
  });

  it('[L-3.12] reauthorize includes pending subscribes, whose own check may predate the change', async () => {
    let allowed = true;
    const snapshot = deferred<unknown>();
    const test = new TestLive({
      rulesFor: () => ({ canSubscribe: async () => allowed, snapshot: () => snapshot.promise }),
    });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', id: 1, topic: 't' });
    allowed = false;
    expect(await test.live.cluster.give(requests.reauthorize({ topic: 't' }))).toMatchObject({ total: 1 });
    snapshot.resolve(1);
    await test.publish('t', 1);
    expect(received()).toMatchObject([{ type: 'error', id: 1, code: 'unavailable' }]);
  });

  it('[L-3.12] reauthorize also ends a subscribe that completes while its check runs', async () => {
    let allowed = true;
    let answer = deferred<void>();
    const snapshot = deferred<unknown>();
    const test = new TestLive({
      rulesFor: () => ({
        canSubscribe: async () => {
          const is = allowed;
          if (!is) await answer.promise;
          return is;
        },
        snapshot: () => snapshot.promise,
      }),
    });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    allowed = false;
    const ended = test.live.cluster.give(requests.reauthorize({ user: 'ann' }));
    snapshot.resolve(1);
    await test.clock.settle();
    expect(received()).toMatchObject([{ type: 'subscribed' }]);
    answer.resolve();
    expect(await ended).toMatchObject({ total: 1 });
    test.clock.flush();
    expect(received()).toMatchObject([{ type: 'unsubscribed', code: 'forbidden' }]);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('away'))],
    ['is unavailable', () => Promise.reject(new LiveError('unavailable', 'away'))],
    ['is late', () => new Promise<boolean>(() => {})],
  ])('[L-3.12] reauthorize ends a subscription with unavailable if the check %s', async (_how, check) => {
    let broken = false;
    const test = new TestLive({ rulesFor: () => ({ canSubscribe: () => (broken ? check() : true) }) });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    received();
    broken = true;
    const done = test.live.cluster.give(requests.reauthorize({ topic: 't' }));
    test.clock.advance(5_000);
    await test.clock.settle();
    await done;
    expect(received()).toEqual([
      {
        type: 'unsubscribed',
        topic: 't',
        code: 'unavailable',
        reason: 'the right to read it could not be checked',
        retryAfterMs: 1_000,
      },
    ]);
  });
});

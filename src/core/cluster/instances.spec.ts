import { describe, expect, it } from 'vitest';
import { TestCluster, type TestInstance } from '../../../test/support/test-cluster.js';
import { TestLive } from '../../testing/test-live.js';

const known = (...instances: TestInstance[]) =>
  instances.map(({ test }) =>
    test.live.cluster.instances.others
      .map(({ id }) => id)
      .toSorted()
      .join(''),
  );

describe('instances', () => {
  it('instances know each other within half a second after a start', async () => {
    const cluster = new TestCluster();
    const [a, b] = [cluster.add('a'), cluster.add('b')];
    await cluster.pass(300);
    const c = cluster.add('c');
    await cluster.pass(300);
    expect(known(a, b, c)).toEqual(['bc', 'ac', 'ab']);
  });

  it('an instance is gone at once after its goodbye, or 6 s after its last signal', async () => {
    const cluster = new TestCluster();
    const [a, b, c] = (await cluster.start('a', 'b', 'c')) as [TestInstance, TestInstance, TestInstance];
    await b.test.live.close();
    cluster.kill(c);
    await cluster.pass(50);
    expect(known(a)).toEqual(['c']);
    await cluster.pass(3_900);
    expect(known(a)).toEqual(['c']);
    await cluster.pass(2_100);
    expect(known(a)).toEqual(['']);
  });

  it('an instance stays gone if an earlier hello arrives after its goodbye', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    const hello = cluster.bus.texts.findLast((text) => text.includes('"instanceId":"b"')) ?? '';
    await b.test.live.close();
    await cluster.pass(50);
    cluster.bus.shout(hello);
    expect(known(a)).toEqual(['']);
  });

  it('an instance survives the loss of two of its hellos', async () => {
    const cluster = new TestCluster({}, { seed: 7 });
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    for (let i = 0; i < 10; i++) {
      b.end.connected = false;
      await cluster.pass(3_900);
      b.end.connected = true;
      expect(known(a)).toEqual(['b']);
      await cluster.pass(2_100);
    }
  });

  it('other instances are kept while this one is suspended or disconnected', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    cluster.clock.stall(60_000);
    expect(known(a, b)).toEqual(['b', 'a']);
    await cluster.pass(1_000);
    a.end.setAvailable(false);
    await cluster.pass(60_000);
    expect(known(a, b)).toEqual(['b', '']);
    a.end.setAvailable(true);
    await cluster.pass(1_000);
    expect(known(a, b)).toEqual(['b', 'a']);
  });

  it('a restarted instance is a different instance', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    cluster.kill(b);
    const again = cluster.add('b');
    await cluster.pass(1_000);
    expect(known(a, again)).toEqual(['bb', 'a']);
    await cluster.pass(6_000);
    expect(known(a, again)).toEqual(['b', 'a']);
  });

  it('an engine that no other instance can use causes no signal and no timer', async () => {
    const signals: string[] = [];
    const alone = new TestLive({
      broker: (memory) => {
        const { signal } = memory;
        memory.signal = async (text) => {
          signals.push(text);
          return signal.call(memory, text);
        };
        return memory;
      },
      limits: { authorizationRecheckMs: 0 },
    });
    // The timers of the heartbeat, the credential watch and the broker.
    expect(alone.clock.timerCount).toBe(3);
    alone.clock.advance(60_000);
    expect(await alone.live.cluster.give({ verb: 'count', topic: 't' })).toEqual({
      total: 0,
      byInstance: { test: 0 },
      missing: [],
    });
    expect([signals, alone.clock.timerCount]).toEqual([[], 3]);
    await alone.live.close();
    expect(signals).toEqual([]);
  });

  it('stopped instances leave no timer behind', async () => {
    const cluster = new TestCluster();
    const [a, b] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
    await cluster.during(a.test.live.cluster.give({ verb: 'count', topic: 't' }), 100);
    b.end.connected = false;
    const waiting = a.test.live.cluster.give({ verb: 'reauthorize', topic: 't' });
    for (const { test } of [a, b]) {
      void test.live.drain(1_000);
      await test.live.close();
      await test.broker.close();
    }
    expect(await waiting).toMatchObject({ total: 0 });
    cluster.clock.advance(10);
    expect(cluster.clock.timerCount).toBe(0);
  });
});

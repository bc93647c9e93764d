import { expect, it, onTestFinished } from 'vitest';
import { HandshakeRefused, LiveTestClient } from '../../src/testing/index.js';
import { sleep, until } from '../brokers/support/waiting.js';
import { CutProxy } from '../support/cut-proxy.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { FaultWorld, faultTopics, line, usualPerSecond, within } from './support/fault-world.js';
import { Instance } from './support/instance.js';
import { flawless, Ledger } from './support/ledger.js';
import { WireSubscriber } from './support/subscribers.js';

const redis = describeWith(redisServer);

async function world(server: RedisServer): Promise<FaultWorld> {
  return FaultWorld.start([server.url, server.url]);
}

redis('Two instances on a Redis that fails, under 2,000 publications a second', () => {
  it('[L-5.8] a naive Pub/Sub bridge loses publications silently, and the checkers find it', async () => {
    const server = await RedisServer.start();
    const proxy = await CutProxy.to(server.url);
    onTestFinished(() => proxy.close());
    const ledger = new Ledger();
    const settings = {
      broker: server.url,
      pubsub: proxy.through(server.url),
      port: 0,
      history: 0,
      first: 0,
    };
    const bridge = await Instance.start(
      settings,
      (list) => {
        for (const [topic, n, epoch, offset] of list) ledger.add(topic, n, { epoch, offset });
      },
      'naive-bridge.mjs',
    );
    onTestFinished(() => bridge.kill());
    const topics = ['chaos/0', 'chaos/1'];
    const reader = await WireSubscriber.connect(bridge.sockets, topics);
    onTestFinished(() => reader.close());
    const counted = async () =>
      sumOf(((await server.run('MGET', ...topics.map((topic) => `count:${topic}`))) as string[]).map(Number));
    const hearsAll = () => Promise.all([...reader.heard.values()].map((heard) => heard.liveAgain()));
    bridge.publish(topics, usualPerSecond);
    await hearsAll();
    const [kills, missed] = [4, 200];
    for (let kill = 0; kill < kills; kill++) {
      // A fast machine would reconnect before the next publication, so the proxy blocks until
      // enough came.
      proxy.hold();
      expect(await server.run('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBe(1);
      const enough = (await counted()) + missed;
      await until('enough is published', async () => (await counted()) >= enough, 10_000);
      proxy.heal();
      await hearsAll();
    }
    await bridge.stopPublishing();
    const verdict = ledger.judge([reader.heard]);
    console.info(line('naive bridge, CLIENT KILL TYPE pubsub', verdict, { kills }));
    // The gap shows on the wire, and no subscriber was informed of it.
    expect(reader.faults.length).toBeGreaterThan(0);
    expect(verdict.reorders).toBe(kills * topics.length);
    expect(verdict.silent).toBeGreaterThan((kills * missed) / 2);
  });

  it('[L-5.9] nothing is lost when all Pub/Sub connections are killed', async () => {
    const server = await RedisServer.start();
    const all = await world(server);
    let liveAgainMs = 0;
    for (let kill = 0; kill < 4; kill++) {
      await server.run('CLIENT', 'KILL', 'TYPE', 'pubsub');
      liveAgainMs = Math.max(liveAgainMs, await all.liveAgain());
      await sleep(300);
    }
    const refused = await all.refused();
    const verdict = await all.verdict();
    console.info(line('CLIENT KILL TYPE pubsub', verdict, { kills: 4, liveAgainMs, refused }));
    expect(verdict).toMatchObject({ ...flawless, reported: 0, delivered: verdict.expected });
    expect([all.wireFaults, all.cuts]).toEqual([[], 0]);
    expect(liveAgainMs).toBeLessThan(within(2_000));
  }, 120_000);

  it('[L-5.11] connections survive a Redis that is frozen for 10 s, requests are refused at once, and service resumes', async () => {
    const server = await RedisServer.start();
    const all = await world(server);
    const [one] = all.instances;
    const [wire] = all.wires;
    if (one === undefined || wire === undefined) throw new Error('There is no world');
    const before = await one.figures();
    server.freeze();
    const frozenMs = performance.now();
    const notReadyMs = await all.notReady();
    expect(await Promise.all(all.instances.map((instance) => instance.health('live')))).toEqual([200, 200]);
    const askedMs = performance.now();
    const unavailable = { type: 'error', code: 'unavailable', retryAfterMs: expect.any(Number) as number };
    expect(await wire.client.request({ type: 'publish', id: 'p', topic: 'chaos/0', data: 0 })).toMatchObject(
      unavailable,
    );
    expect(await wire.client.request({ type: 'subscribe', id: 's', topic: 'chaos/new' })).toMatchObject(
      unavailable,
    );
    const refusal = await LiveTestClient.connect(one.sockets).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HandshakeRefused);
    expect((refusal as HandshakeRefused).statusCode).toBe(503);
    expect((refusal as HandshakeRefused).headers['retry-after']).toBeDefined();
    const answeredMs = performance.now() - askedMs;
    await sleep(10_000 - (performance.now() - frozenMs));
    const after = await one.figures();
    server.thaw();
    const liveAgainMs = await all.liveAgain();
    const verdict = await all.verdict();
    const grownMb = (after.rss - before.rss) / 1e6;
    const { refused, slowestRefusalMs, codes } = after;
    console.info(
      line('SIGSTOP 10 s', verdict, {
        notReadyMs,
        answeredMs,
        liveAgainMs,
        grownMb,
        refused,
        slowestRefusalMs,
      }),
    );
    expect(verdict).toMatchObject({ ...flawless, reported: 0, delivered: verdict.expected });
    expect([all.wireFaults, all.cuts]).toEqual([[], 0]);
    expect(Object.keys(codes)).toEqual(['unavailable with retryAfterMs']);
    expect(notReadyMs).toBeLessThan(within(5_000));
    expect(answeredMs).toBeLessThan(1_000);
    expect(slowestRefusalMs).toBeLessThan(500);
    expect(grownMb).toBeLessThan(100);
    expect(liveAgainMs).toBeLessThan(within(2_000));
  }, 120_000);

  it('[L-5.7] every subscriber learns of the new epoch after Redis is restarted without its data', async () => {
    const server = await RedisServer.start();
    const all = await world(server);
    await server.stop('SIGKILL');
    const notReadyMs = await all.notReady();
    await sleep(1_000);
    await server.start();
    const liveAgainMs = await all.liveAgain();
    const verdict = await all.verdict();
    console.info(line('restart without persistence', verdict, { notReadyMs, liveAgainMs }));
    expect(verdict).toMatchObject(flawless);
    expect(all.reported).toEqual(all.reported.map(() => 1));
    expect([all.wireFaults, all.cuts]).toEqual([[], 0]);
    expect(notReadyMs).toBeLessThan(within(5_000));
    expect(liveAgainMs).toBeLessThan(within(2_000));
  }, 120_000);

  it('[L-5.10] topics continue without a gap after Redis is restarted with its data', async () => {
    const server = await RedisServer.start({ args: ['--appendonly', 'yes'] });
    const all = await world(server);
    await server.stop('SIGKILL');
    const notReadyMs = await all.notReady();
    await sleep(1_000);
    await server.start();
    const liveAgainMs = await all.liveAgain();
    const verdict = await all.verdict();
    console.info(line('restart with an append-only file', verdict, { notReadyMs, liveAgainMs }));
    expect(verdict).toMatchObject({ ...flawless, reported: 0, delivered: verdict.expected });
    expect([all.wireFaults, all.cuts]).toEqual([[], 0]);
    expect(notReadyMs).toBeLessThan(within(5_000));
    expect(liveAgainMs).toBeLessThan(within(2_000));
  }, 120_000);

  it('[L-5.7] every subscriber learns of every new epoch after Redis is flushed repeatedly', async () => {
    const server = await RedisServer.start();
    const all = await world(server);
    let liveAgainMs = 0;
    for (let flush = 0; flush < 3; flush++) {
      await server.run('FLUSHALL');
      liveAgainMs = Math.max(liveAgainMs, await all.liveAgain());
      await sleep(500);
    }
    const verdict = await all.verdict();
    console.info(line('FLUSHALL', verdict, { flushes: 3, liveAgainMs }));
    expect(verdict).toMatchObject(flawless);
    expect(all.reported).toEqual(all.reported.map(() => 3));
    expect([all.wireFaults, all.cuts]).toEqual([[], 0]);
    expect(liveAgainMs).toBeLessThan(within(2_000));
  }, 120_000);

  it('[L-5.9] an instance heals what it missed during a network cut, and reports what the history no longer has', async () => {
    const server = await RedisServer.start();
    const proxy = await CutProxy.to(server.url);
    onTestFinished(() => proxy.close());
    const history = 200;
    const all = await FaultWorld.start([server.url, proxy.through(server.url)], { history });
    const cutUntil = async (enough: () => Promise<void>) => {
      proxy.cut();
      const notReadyMs = await all.notReady(all.instances.slice(1));
      await enough();
      proxy.heal();
      return { notReadyMs, liveAgainMs: await all.liveAgain() };
    };
    const short = await cutUntil(() => sleep(500));
    await sleep(500);
    const reportedBefore = sumOf(all.reported);
    const enough = all.ledger.size + faultTopics.length * history * 1.5;
    const long = await cutUntil(() =>
      until('the history is too short', () => all.ledger.size > enough, 60_000),
    );
    const verdict = await all.verdict();
    console.info(
      line('cut through a proxy, for a short and for a long time', verdict, {
        ...short,
        reportedBefore,
        notReadyThenMs: long.notReadyMs,
        liveThenMs: long.liveAgainMs,
      }),
    );
    expect(verdict).toMatchObject(flawless);
    expect(reportedBefore).toBe(0);
    expect(verdict.reported).toBeGreaterThan(0);
    expect([all.wireFaults, all.cuts]).toEqual([[], 0]);
    for (const { notReadyMs, liveAgainMs } of [short, long]) {
      expect(notReadyMs).toBeLessThan(within(5_000));
      expect(liveAgainMs).toBeLessThan(within(2_000));
    }
    await until('it is ready again', async () => (await all.ready()).every(Boolean), 5_000);
  }, 120_000);
});

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { CutProxy } from '../support/cut-proxy.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { BrokerReader, judge, mixedPositions } from './support/broker-reader.js';
import { SteadyPublisher } from './support/steady-publisher.js';
import { sleep, until } from './support/waiting.js';

const redis = describeWith(redisServer);
const topics = ['a', 'b', 'c'];
const history = { size: 100_000, ttlMs: 600_000, maxBytes: 100_000_000 };
const limits = { count: 100_000, bytes: 100_000_000 };
const appendOnly = ['--appendonly', 'yes'];

async function instance(url: string | readonly string[], prefix = 'live:') {
  const broker = new RedisBroker({ url, prefix });
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until('the broker is available', () => broker.available, 5_000);
  return { broker, reader };
}

/** Two instances that publish and read. The network of the second can be cut. */
async function world(urls: readonly [string, ...string[]]) {
  const proxies = await Promise.all(urls.map((url) => CutProxy.to(url)));
  for (const proxy of proxies) onTestFinished(() => proxy.close());
  const one = await instance(urls);
  const two = await instance(urls.map((url, i) => proxies[i]?.through(url) ?? url));
  for (const topic of topics) for (const { reader } of [one, two]) await reader.follow(topic);
  let publishers = [one, two].map(({ broker }) => new SteadyPublisher(broker, topics));
  const stopPublishing = () => Promise.all(publishers.map((publisher) => publisher.stop()));
  const acknowledged = () => publishers.flatMap((publisher) => publisher.acknowledged);
  return {
    one,
    two,
    proxies,
    acknowledged,
    stopPublishing,
    publishAgain() {
      publishers = [...publishers, ...[one, two].map(({ broker }) => new SteadyPublisher(broker, topics))];
    },
    back: () => until('both are back', () => one.broker.available && two.broker.available, 8_000),
    /** Asserts that all readers have the same data for a position, or were informed of a loss. */
    async verdict() {
      await sleep(300);
      await stopPublishing();
      const readers = [one.reader, two.reader];
      for (const reader of readers) await reader.caughtUp();
      expect(mixedPositions(acknowledged(), readers)).toEqual([]);
      return readers.map((reader) => judge(acknowledged(), reader));
    },
  };
}

const reported = ({ reader }: { reader: BrokerReader }): number =>
  [...reader.readings.values()].reduce((sum, reading) => sum + reading.reported.length, 0);

const epochOf = async ({ broker }: { broker: RedisBroker }, topic = 'a'): Promise<string | undefined> =>
  (await broker.tops([topic])).get(topic)?.epoch;

redis('A Redis that goes back', () => {
  it.each([
    ['an append-only file that lost its end', appendOnly, 'appendonlydir'],
    ['a restored backup', ['--dbfilename', 'dump.rdb', '--save', '3600 100000000'], 'dump.rdb'],
  ])(
    '[L-4.2] [L-5.2] %s gives no position twice, and reports only what was lost',
    async (_what, args, file) => {
      const server = await RedisServer.start({ args });
      const { one, two, proxies, stopPublishing, publishAgain, back, verdict } = await world([server.url]);
      const copy = join(server.folder, 'copy');
      await sleep(300);
      await stopPublishing();
      await two.reader.caughtUp();
      const behind = two.reader.readings.get('a')?.position;
      if (file === 'dump.rdb') await server.run('SAVE');
      else await sleep(1_200);
      cpSync(join(server.folder, file), copy, { recursive: true });
      publishAgain();
      await sleep(300);
      const [proxy] = proxies;
      proxy?.cut();
      await sleep(50);
      await stopPublishing();
      await one.reader.caughtUp();
      const beyond = one.reader.readings.get('a')?.position;
      await server.stop('SIGKILL');
      rmSync(join(server.folder, file), { recursive: true });
      cpSync(copy, join(server.folder, file), { recursive: true });
      await server.start();
      await until('one is back', () => one.broker.available, 8_000);
      publishAgain();
      await sleep(300);
      proxy?.heal();
      await back();
      for (const result of await verdict()) expect(result).toMatchObject({ silent: 0, disorder: 0 });
      for (const each of [one, two]) {
        const within = await each.broker.read('a', behind, limits);
        expect([within.missed?.[0]?.offset, within.top.epoch]).toEqual([
          (behind?.offset ?? 0) + 1,
          await epochOf(each),
        ]);
        expect(within.top.epoch).not.toBe(behind?.epoch);
        expect((await each.broker.read('a', beyond, limits)).missed).toBeUndefined();
        // Redis lost publications that this instance had delivered.
        expect(reported(each)).toBe(topics.length);
      }
    },
    40_000,
  );

  it('[L-5.2] a clean restart of Redis loses nothing although every topic has a new epoch', async () => {
    const server = await RedisServer.start({ args: appendOnly });
    const { one, two, back, verdict } = await world([server.url]);
    const before = await epochOf(one);
    for (let i = 0; i < 2; i++) {
      await sleep(200);
      await server.stop();
      await server.start();
      await back();
    }
    for (const result of await verdict())
      expect(result).toMatchObject({ silent: 0, disorder: 0, reported: 0, taken: result.acknowledged });
    expect([reported(one), reported(two), (await epochOf(one)) === before]).toEqual([0, 0, false]);
  }, 40_000);

  it('[L-4.2] a replica that was behind and a master that returns give no position twice', async () => {
    const first = await RedisServer.start();
    const second = await RedisServer.start({
      args: ['--replicaof', '127.0.0.1', String(first.port), '--repl-diskless-sync-delay', '0'],
    });
    const inStep = async (server: RedisServer) =>
      String(await server.run('INFO', 'replication')).includes('master_link_status:up');
    await until('the replica is in step', () => inStep(second), 8_000);
    const { one, two, back, verdict } = await world([first.url, second.url]);
    await sleep(300);
    // The first takes publications that the second will never have, and becomes its replica.
    await second.run('REPLICAOF', 'NO', 'ONE');
    await sleep(200);
    await first.run('REPLICAOF', '127.0.0.1', String(second.port));
    const losses = ({ reader }: typeof one) => reader.availabilities.filter((available) => !available).length;
    const noticed = (times: number) =>
      until('both notice it', () => losses(one) >= times && losses(two) >= times, 5_000);
    await noticed(1);
    await back();
    await until('the first is in step', () => inStep(first), 8_000);
    await sleep(200);
    // The first becomes the master again, in the same process.
    await first.run('REPLICAOF', 'NO', 'ONE');
    await sleep(200);
    await second.run('REPLICAOF', '127.0.0.1', String(first.port));
    await noticed(2);
    await back();
    for (const result of await verdict()) expect(result).toMatchObject({ silent: 0, disorder: 0 });
    for (const each of [one, two]) expect(reported(each)).toBeGreaterThan(0);
  }, 60_000);

  it('[L-4.2] a Redis that is flushed under load gives no position twice', async () => {
    const server = await RedisServer.start();
    const { one, two, verdict } = await world([server.url]);
    for (let i = 0; i < 3; i++) {
      await sleep(150);
      await server.run('FLUSHDB');
    }
    for (const result of await verdict()) expect(result).toMatchObject({ silent: 0, disorder: 0 });
    for (const each of [one, two]) expect(reported(each)).toBeGreaterThanOrEqual(topics.length);
  });

  it.each([
    ['a metadata key', 'live:{a}'],
    ['all keys of a topic', 'live:{a}', 'live:{a}:h'],
  ])('[L-4.2] %s that is deleted under load gives no position twice', async (_what, ...keys) => {
    const server = await RedisServer.start();
    const { one, two, verdict } = await world([server.url]);
    for (let i = 0; i < 3; i++) {
      await sleep(150);
      await server.run('DEL', ...keys);
    }
    for (const result of await verdict()) expect(result).toMatchObject({ silent: 0, disorder: 0 });
    for (const { reader } of [one, two]) expect(reader.readings.get('a')?.reported.length).toBeGreaterThan(0);
  });
});

redis('Redis with a new replication id', () => {
  it.each([
    [
      'an append-only file that is switched on',
      (server: RedisServer) => server.run('CONFIG', 'SET', 'appendonly', 'yes'),
    ],
    [
      'a first replica',
      async (server: RedisServer) => {
        const replica = await RedisServer.start({
          args: ['--replicaof', '127.0.0.1', String(server.port), '--repl-diskless-sync-delay', '0'],
        });
        await until(
          'it is in step',
          async () => String(await replica.run('INFO', 'replication')).includes('master_link_status:up'),
          8_000,
        );
        await server.run('CONFIG', 'SET', 'repl-backlog-ttl', '1');
        await replica.stop();
        await sleep(1_500);
      },
    ],
  ])(
    '[L-4.2] %s ends no epoch, and neither does an instance that starts afterwards',
    async (_what, change) => {
      const server = await RedisServer.start();
      const one = await instance(server.url);
      const [published, untouched] = [await one.broker.publish('a', '1', {}), await epochOf(one, 'never')];
      await change(server);
      const two = await instance(server.url);
      for (let i = 2; i <= 5; i++) {
        const { broker } = i % 2 === 0 ? one : two;
        expect(await broker.publish('a', String(i), {})).toEqual({ epoch: published.epoch, offset: i });
      }
      await sleep(2_500);
      expect([await epochOf(two), await epochOf(two, 'never')]).toEqual([published.epoch, untouched]);
      expect([one.reader.suspects, two.reader.suspects]).toEqual([0, 0]);
    },
    30_000,
  );
});

redis('Incomplete snapshots in Redis', () => {
  it.each([
    ['deleted', 'DEL', 'live:{t}:l'],
    ['deleted in part', 'HDEL', 'live:{t}:l', 'k1'],
    ['without its order', 'DEL', 'live:{t}:o'],
    ['expired', 'PEXPIRE', 'live:{t}:l', '1'],
  ])(
    '[L-6.5] a snapshot with missing parts is not used, and the next publication starts an epoch: %s',
    async (_what, ...command) => {
      const server = await RedisServer.start();
      const [one, two] = [await instance(server.url), await instance(server.url)];
      const options = (key: string) => ({ history, latest: 'last-per-key', key }) as const;
      for (const key of ['k1', 'k2', 'k3']) await one.broker.publish('t', `"${key}"`, options(key));
      const before = await one.broker.publish('t', '"k2"', options('k2'));
      await server.run(...command);
      await sleep(20);
      const { top, publications } = await two.broker.latest('t');
      if (command[1] !== 'live:{t}:o') {
        expect(publications).toEqual([]);
        expect(top.epoch).not.toBe(before.epoch);
        expect((await two.broker.read('t', before, limits)).missed).toBeUndefined();
      }
      const after = await one.broker.publish('t', '"k4"', options('k4'));
      expect(after).toEqual({ epoch: after.epoch, offset: 1 });
      expect([before.epoch, top.epoch]).not.toContain(after.epoch);
      expect((await two.broker.latest('t')).publications.map(({ key }) => key)).toEqual(['k4']);
      expect((await two.broker.read('t', before, limits)).missed).toBeUndefined();
    },
  );
});

redis('Redis that does not serve', () => {
  it('[L-4.5] Redis is away while it loads its data', async () => {
    const server = await RedisServer.start({ args: [...appendOnly, '--key-load-delay', '100'] });
    const { broker } = await instance(server.url);
    await broker.publish('a', '1', {});
    await server.run('EVAL', "for i = 1, 20000 do redis.call('SET', KEYS[1] .. i, i) end", '1', 'other:');
    await server.run('BGREWRITEAOF');
    await sleep(500);
    await server.stop();
    const ready = server.start();
    await until('it is away', () => !broker.available, 5_000);
    const loading = { on: true, seen: 0 };
    void ready.then(() => (loading.on = false));
    while (loading.on) {
      expect(broker.available && loading.on).toBe(false);
      loading.seen += 1;
      await sleep(10);
    }
    expect(loading.seen).toBeGreaterThan(50);
    await until('it is back', () => broker.available, 3_000);
    expect((await broker.publish('a', '2', {})).offset).toBe(2);
  }, 30_000);

  it('[L-4.5] Redis is away when it has become a replica, even for an instance that publishes nothing', async () => {
    const [first, second] = [await RedisServer.start(), await RedisServer.start()];
    const { broker, reader } = await instance(first.url);
    await reader.follow('a');
    await first.run('REPLICAOF', '127.0.0.1', String(second.port));
    await until('it is away', () => !broker.available, 5_000);
    await first.run('REPLICAOF', 'NO', 'ONE');
    await until('it is back', () => broker.available, 5_000);
  }, 20_000);

  it('readers continue when the memory of Redis is full, and nothing more is stored', async () => {
    const server = await RedisServer.start({ args: ['--maxmemory-policy', 'noeviction'] });
    const { broker } = await instance(server.url);
    await broker.publish('a', '1', { history, latest: 'last' });
    const keys = await server.run('DBSIZE');
    await server.run('CONFIG', 'SET', 'maxmemory', '1');
    await expect(broker.publish('untouched', '1', {})).rejects.toThrow('OOM');
    await expect(broker.publish('a', '2', { latest: 'last-per-key', key: 'k' })).rejects.toThrow('OOM');
    await sleep(3_000);
    expect(broker.available).toBe(true);
    const since = { epoch: (await epochOf({ broker })) ?? '', offset: 0 };
    expect((await broker.read('a', since, limits)).missed).toHaveLength(1);
    expect((await broker.latest('a')).publications).toHaveLength(1);
    expect(await server.run('DBSIZE')).toBe(keys);
  }, 20_000);

  it('[L-3.10] Redis stores nothing for a topic that is only read', async () => {
    const server = await RedisServer.start();
    const { broker } = await instance(server.url);
    const names = Array.from({ length: 1_000 }, (_, i) => `named/${String(i)}`);
    await broker.tops(names);
    for (const name of names.slice(0, 100)) {
      const { top } = await broker.read(name, undefined, limits);
      await broker.read(name, top, limits);
      await broker.latest(name);
    }
    expect(await server.run('KEYS', '*')).toEqual(['live:life']);
  });

  it('the counters of a topic stay exact close to 2^53', async () => {
    const server = await RedisServer.start();
    const { broker } = await instance(server.url);
    const options = { history, latest: 'last-per-key', key: 'k' } as const;
    const { epoch } = await broker.publish('a', '1', options);
    const max = {
      o: '9007199254740001',
      c: '9007199254740101',
      f: '9007199254740001',
      n: '9007199254740003',
    };
    await server.run('HSET', 'live:{a}', ...Object.entries(max).flat());
    const place = { epoch, offset: 9_007_199_254_740_002 };
    expect(await broker.publish('a', '234', options)).toEqual(place);
    expect(await server.run('HMGET', 'live:{a}', ...Object.keys(max))).toEqual([
      '9007199254740002',
      '9007199254740104',
      '9007199254740001',
      '9007199254740004',
    ]);
    const since = { epoch, offset: place.offset - 1 };
    expect((await broker.read('a', since, limits)).missed).toEqual([
      { offset: place.offset, data: '234', key: 'k' },
    ]);
  });

  it('publications that are not awaited keep their order although scripts are flushed', async () => {
    const server = await RedisServer.start();
    const [one, two] = [await instance(server.url), await instance(server.url)];
    for (let round = 0; round < 20; round++) {
      const topic = `t${String(round)}`;
      const places: Promise<{ offset: number }>[] = [];
      for (let i = 0; i < 60; i++) {
        places.push(one.broker.publish(topic, String(i), { history }));
        if (i === 20) void server.run('SCRIPT', 'FLUSH');
        if (i % 10 === 9) await sleep(1);
      }
      const offsets = (await Promise.all(places)).map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      await two.broker.publish(topic, '1', {});
    }
  }, 30_000);
});

import { expect, it, onTestFinished } from 'vitest';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { CutProxy } from '../support/cut-proxy.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { BrokerReader, judge } from './support/broker-reader.js';
import { SteadyPublisher } from './support/steady-publisher.js';
import { sleep, until } from './support/waiting.js';

const redis = describeWith(redisServer);
const topics = ['a', 'b', 'c', 'd', 'e'];

function open(url: string | readonly string[]): RedisBroker {
  const broker = new RedisBroker({ url });
  onTestFinished(() => broker.close());
  return broker;
}

/** A server, a publisher and a reader on separate brokers. The reader connects to `through`. */
async function world(server: RedisServer, through: string | readonly string[] = server.url) {
  const [sending, reading] = [open(typeof through === 'string' ? server.url : through), open(through)];
  const reader = new BrokerReader(reading);
  sending.start(new BrokerReader(open(server.url)));
  await until('both are available', () => sending.available && reading.available, 5_000);
  for (const topic of topics) await reader.follow(topic);
  const publisher = new SteadyPublisher(sending, topics);
  await sleep(300);
  const verdict = async () => {
    await sleep(300);
    await publisher.stop();
    await reader.caughtUp();
    return judge(publisher.acknowledged, reader);
  };
  return { sending, reading, reader, publisher, verdict };
}

/** Closes only the reader's Pub/Sub connection while publications continue. */
async function killReader(server: RedisServer): Promise<void> {
  const list = String(await server.run('CLIENT', 'LIST', 'TYPE', 'pubsub')).split('\n');
  for (const line of list) {
    const [, id = '', subscriptions] = /^id=(\d+) .* sub=(\d+) /.exec(line) ?? [];
    if (Number(subscriptions) > topics.length) await server.run('CLIENT', 'KILL', 'ID', id);
  }
}

redis('A Redis that fails', () => {
  it('a naive Pub/Sub bridge loses messages, and the checker finds it', async () => {
    const server = await RedisServer.start();
    const [subscriber, publisher] = [await server.admin(), await server.admin()];
    const seen = new Set<string>();
    await subscriber.subscribe('bridge', (text) => seen.add(text));
    let sent = 0;
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 1_000; i++) {
        void publisher.publish('bridge', String(sent++));
        if (i === 500) void publisher.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      }
      await sleep(300);
    }
    subscriber.destroy();
    publisher.destroy();
    console.info(`A naive bridge: ${String(sent - seen.size)} of ${String(sent)} lost in 4 kills`);
    expect(seen.size).toBeLessThan(sent - 20);
  });

  it('the checker finds a silent loss of a Redis reader that ignores suspicion', async () => {
    const server = await RedisServer.start();
    const proxy = await CutProxy.to(server.url);
    onTestFinished(() => proxy.close());
    const { reading, reader, publisher } = await world(server, proxy.through(server.url));
    // A naive reader that takes whatever arrives.
    reader.publication = (topic, epoch, { offset, data }) => {
      const reading = reader.readings.get(topic);
      reading?.taken.set(`${epoch} ${String(offset)}`, data);
      if (reading) reading.position = { epoch, offset };
    };
    reader.suspect = () => {};
    // A fast machine would reconnect before the next publication, so the proxy blocks until enough
    // came.
    proxy.hold();
    await killReader(server);
    const enough = publisher.acknowledged.length + 100;
    await until('enough is published', () => publisher.acknowledged.length >= enough, 5_000);
    proxy.heal();
    await until('the reader is back', () => reading.available, 5_000);
    await sleep(300);
    await publisher.stop();
    expect(judge(publisher.acknowledged, reader).silent).toBeGreaterThanOrEqual(50);
  });

  it('[L-4.5] nothing is lost when the Pub/Sub connections are killed repeatedly', async () => {
    const server = await RedisServer.start();
    const { reading, reader, publisher, verdict } = await world(server);
    for (let i = 0; i < 8; i++) {
      if (i % 2 === 0) await killReader(server);
      else await server.run('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until('the reader is back', () => reading.available, 2_000);
      await sleep(200);
    }
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect(result.acknowledged).toBeGreaterThan(500);
    expect([reader.suspects > 0, publisher.acknowledged.length]).toEqual([true, result.acknowledged]);
  });

  it('[L-4.5] a frozen Redis is reported away within 5 s, delays no call, and is back within 2 s', async () => {
    const server = await RedisServer.start();
    const { sending, reading, reader, publisher, verdict } = await world(server);
    const heapBefore = process.memoryUsage().heapUsed;
    server.freeze();
    const frozenMs = performance.now();
    await until('both say so', () => !sending.available && !reading.available, 5_000);
    const startMs = performance.now();
    await expect(sending.publish('a', '1', {})).rejects.toThrow('away');
    await expect(reading.subscribe('other')).rejects.toThrow('away');
    expect(performance.now() - startMs).toBeLessThan(100);
    await sleep(10_000 - (performance.now() - frozenMs));
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(100_000_000);
    server.thaw();
    await until('both are back', () => sending.available && reading.available, 2_000);
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect(reader.availabilities).toEqual([true, false, true]);
    expect(publisher.refused).toBeGreaterThan(100);
  }, 40_000);

  it('[L-4.2] topics start new epochs when Redis returns without its data, and every loss is reported', async () => {
    const server = await RedisServer.start();
    const { sending, reading, reader, verdict } = await world(server);
    const before = new Map([...reader.readings].map(([topic, { position }]) => [topic, position.epoch]));
    await server.stop('SIGKILL');
    await until('both say so', () => !sending.available && !reading.available, 5_000);
    await server.start();
    await until('both are back', () => sending.available && reading.available, 2_000);
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, disorder: 0 });
    for (const [topic, { position, reported }] of reader.readings) {
      expect([position.epoch === before.get(topic), reported.length > 0]).toEqual([false, true]);
    }
  });

  it('[L-4.2] topics start new epochs when Redis returns with an old copy of its data', async () => {
    const server = await RedisServer.start({ args: ['--save', '3600', '1'] });
    const { sending, reading, reader, verdict } = await world(server);
    await server.run('SAVE');
    await sleep(500);
    await server.stop('SIGKILL');
    await server.start();
    await until('both are back', () => sending.available && reading.available, 5_000);
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, disorder: 0 });
    for (const { reported } of reader.readings.values()) expect(reported).toHaveLength(1);
  });

  it('topics continue where they were when Redis kept its data in an append-only file', async () => {
    const server = await RedisServer.start({ args: ['--appendonly', 'yes'] });
    const { sending, reading, reader, verdict } = await world(server);
    for (let i = 0; i < 2; i++) {
      await server.stop('SIGKILL');
      await sleep(300);
      await server.start();
      await until('both are back', () => sending.available && reading.available, 5_000);
      await sleep(300);
    }
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect(reader.suspects).toBe(2);
  });

  it('[L-4.2] topics start new epochs when Redis is flushed while in use', async () => {
    const server = await RedisServer.start();
    const { reader, verdict } = await world(server);
    for (let i = 0; i < 3; i++) {
      await server.run('FLUSHALL');
      await sleep(150);
    }
    expect(await verdict()).toMatchObject({ silent: 0, disorder: 0 });
    for (const { reported } of reader.readings.values()) expect(reported.length).toBeGreaterThan(0);
  });

  it('nothing is lost when the connection to Redis is cut repeatedly', async () => {
    const server = await RedisServer.start();
    const proxy = await CutProxy.to(server.url);
    onTestFinished(() => proxy.close());
    const { reading, reader, verdict } = await world(server, proxy.through(server.url));
    for (let i = 0; i < 5; i++) {
      proxy.cut();
      await sleep(300);
      proxy.heal();
      await until('the reader is back', () => reading.available, 2_000);
      await sleep(100);
    }
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect(reader.suspects).toBe(5);
  });

  it('[L-4.5] a Pub/Sub connection that went silent is reported away within 5 s', async () => {
    const server = await RedisServer.start();
    const proxy = await CutProxy.to(server.url);
    onTestFinished(() => proxy.close());
    const { reading, reader, verdict } = await world(server, proxy.through(server.url));
    expect(proxy.wedge('subscribe')).toBe(1);
    // The other connection works, so calls are still answered.
    expect((await reading.tops(topics)).size).toBe(topics.length);
    await until('the reader says so', () => !reading.available, 5_000);
    await until('the reader is back', () => reading.available, 2_000);
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect([reader.suspects, reader.availabilities]).toEqual([1, [true, false, true]]);
  });

  it('[L-4.5] nothing is lost when Redis disconnects readers that are too slow for a burst', async () => {
    const server = await RedisServer.start();
    await server.run('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 200kb 100kb 1');
    const { reading, reader, verdict } = await world(server);
    const burst = "for i = 1, 400 do redis.call('PUBLISH', KEYS[1], string.rep('x', 2000)) end";
    for (let i = 0; i < 3; i++) {
      const { lossesTotal } = reading;
      await server.run('EVAL', burst, '1', 'live:{a}');
      await until('it is thrown out', () => reading.lossesTotal > lossesTotal, 1_000);
      await until('the reader is back', () => reading.available, 2_000);
      await sleep(200);
    }
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect(reader.suspects).toBe(3);
  });

  it('[L-4.2] topics start new epochs when a replica takes over, since it may have been behind', async () => {
    const first = await RedisServer.start();
    const second = await RedisServer.start({
      args: ['--replicaof', '127.0.0.1', String(first.port), '--repl-diskless-sync-delay', '0'],
    });
    while (!String(await second.run('INFO', 'replication')).includes('master_link_status:up'))
      await sleep(50);
    const { sending, reading, reader, verdict } = await world(first, [first.url, second.url]);
    const before = new Map([...reader.readings].map(([topic, { position }]) => [topic, position.epoch]));
    await first.stop('SIGKILL');
    await until('both say so', () => !sending.available && !reading.available, 5_000);
    await sleep(300);
    expect(reading.available).toBe(false);
    await second.run('REPLICAOF', 'NO', 'ONE');
    await until('both are back', () => sending.available && reading.available, 3_000);
    // The former master returns as a replica of the other.
    await first.start();
    await first.run('REPLICAOF', '127.0.0.1', String(second.port));
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, disorder: 0 });
    // Data that the replica had continues in a new epoch, data that it lacked is reported as lost.
    for (const [topic, { position }] of reader.readings) expect(position.epoch).not.toBe(before.get(topic));
    // The master is made a replica while in use: the next publication finds out.
    await first.run('REPLICAOF', 'NO', 'ONE');
    await second.run('REPLICAOF', '127.0.0.1', String(first.port));
    await expect(sending.publish('a', '1', {})).rejects.toThrow('READONLY');
    await until('it has found the master', () => sending.available, 3_000);
    expect((await sending.publish('a', '1', {})).offset).toBeGreaterThan(0);
  }, 40_000);

  it('the broker waits for Redis at the start, and its errors name no user or password', async () => {
    const server = await RedisServer.start();
    await server.stop();
    const said: string[] = [];
    const url = server.url.replace('//', '//ann:canary@');
    const broker = new RedisBroker({
      url,
      onError: (doing, error) => said.push(`${doing}: ${String((error as Error).stack)}`),
    });
    onTestFinished(() => broker.close());
    broker.start(new BrokerReader(open(server.url)));
    await expect(broker.publish('t', '1', {})).rejects.toThrow('away');
    await server.start();
    // The password is wrong as well.
    await sleep(1_500);
    expect(broker.available).toBe(false);
    await server.run('ACL', 'SETUSER', 'ann', 'on', '>canary', '~*', '&*', '+@all');
    await until('it is there', () => broker.available, 2_000);
    expect((await broker.publish('t', '1', {})).offset).toBe(1);
    expect(said.join('\n')).toContain('connecting to Redis: ');
    expect(said.join('\n')).toContain('WRONGPASS');
    expect(said.join('\n')).not.toContain('canary');
  });
});

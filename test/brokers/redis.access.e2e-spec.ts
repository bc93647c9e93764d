import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { encodeTopic } from '../../src/brokers/redis/redis-keys.js';
import { RedisBroker, type RedisBrokerOptions } from '../../src/brokers/redis/index.js';
import { describeWith, openssl, redisServer, runsWith } from '../support/programs.js';
import { freePort, RedisServer } from '../support/redis-server.js';
import { BrokerReader } from './support/broker-reader.js';
import { sleep, until } from './support/waiting.js';

const redis = describeWith(redisServer);
const history = { size: 10, ttlMs: 60_000, maxBytes: 20 };

async function open(options: RedisBrokerOptions) {
  const said: string[] = [];
  const broker = new RedisBroker({
    ...options,
    onError: (doing, error) => said.push(`${doing}: ${String((error as Error).stack)}`),
  });
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until(`the broker is available: ${said.join()}`, () => broker.available || said.length > 0, 5_000);
  return { broker, reader, said };
}

/** Uses every feature of a broker. */
async function useAll({ broker, reader }: Awaited<ReturnType<typeof open>>): Promise<void> {
  await reader.follow('t');
  for (let i = 0; i < 12; i++) {
    await broker.publish('t', '"12345678"', { history, key: `k${String(i)}`, latest: 'last-per-key' });
  }
  await broker.publish('t', '1', { history, idempotencyKey: 'x', version: 1 });
  await broker.publish('t', '1', { history, idempotencyKey: 'x' });
  await broker.publish('last', '1', { latest: 'last' });
  await broker.publish('last', '2', { latest: 'last', key: 'k' });
  expect((await broker.latest('last')).publications).toEqual([{ offset: 2, data: '2', key: 'k' }]);
  expect((await broker.latest('t')).publications).toHaveLength(12);
  await broker.signal('hello');
  await reader.caughtUp();
  expect([reader.readings.get('t')?.taken.size, reader.readings.get('t')?.reported]).toEqual([13, []]);
}

redis('Redis users and rights', () => {
  it('the Redis broker needs no more rights than the guide gives', async () => {
    const server = await RedisServer.start();
    const guide = readFileSync(resolve(import.meta.dirname, '../../docs/redis.md'), 'utf8');
    const [, rule = ''] = /^ACL (SETUSER live .*?)^```/ms.exec(guide) ?? [];
    await server.run('ACL', ...rule.trim().split(/\s+/));
    const url = server.url.replace('//', '//live:secret@');
    await useAll(await open({ url }));
    // After SCRIPT FLUSH the scripts are sent in full. The short linger covers unsubscribing.
    const again = await open({ url, lingerMs: 100 });
    await server.run('SCRIPT', 'FLUSH');
    await again.broker.publish('u', '1', { history, latest: 'last-per-key', key: 'k', version: 1 });
    await again.broker.publish('u', 'null', { latest: 'last-per-key', key: 'k', remove: true, version: 2 });
    await again.broker.subscribe('u');
    await again.broker.unsubscribe('u');
    await until('it is unsubscribed', () => again.broker.subscribedTopics === 0, 2_000);
    expect(again.said).toEqual([]);
    const refused = (await server.run('ACL', 'LOG')) as { object: string }[];
    expect(refused.map(({ object }) => object)).toEqual(['config|get']);
  });

  it('a wrong user or password makes the broker unavailable, and the error omits both', async () => {
    const server = await RedisServer.start();
    await server.run('ACL', 'SETUSER', 'ann', 'on', '>right', '~*', '&*', '+@all');
    for (const who of ['ann:canary', 'canary:canary']) {
      const { broker, said } = await open({ url: server.url.replace('//', `//${who}@`) });
      expect(broker.available).toBe(false);
      expect(said[0]).toMatch(/^connecting to Redis: .*(WRONGPASS|AUTH)/);
      expect(said.join()).not.toContain('canary');
    }
  });

  it('the URL of a Sentinel gets an error that names the Sentinel URL scheme', async () => {
    const port = String(await freePort());
    const file = join(mkdtempSync(join(tmpdir(), 'sentinel-')), 'sentinel.conf');
    writeFileSync(file, `port ${port}\nbind 127.0.0.1\n`);
    const sentinel = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
    onTestFinished(() => void sentinel.kill());
    const { broker, said } = await open({ url: `redis://127.0.0.1:${port}` });
    await until('it has answered', () => said.some((each) => !each.includes('ECONNREFUSED')), 5_000);
    expect(broker.available).toBe(false);
    expect(said.at(-1)).toContain('This is a Redis Sentinel: use redis+sentinel://host:26379/master-name.');
  });

  it.runIf(runsWith(openssl))(
    'the Redis broker connects by rediss:// only if it trusts the certificate',
    async () => {
      const server = await RedisServer.start({ tls: true });
      const stranger = await open({ url: server.url });
      expect(stranger.broker.available).toBe(false);
      expect(stranger.said[0]).toContain('certificate');
      const ca = readFileSync(join(server.folder, 'cert.pem'), 'utf8');
      await useAll(await open({ url: server.url, client: { socket: { tls: true, ca } as never } }));
    },
  );

  it('the Redis broker touches no key outside its prefix, and keeps databases and prefixes apart', async () => {
    const server = await RedisServer.start();
    const worlds = [
      await open({ url: server.url }),
      await open({ url: `${server.url}/2` }),
      await open({ url: server.url, prefix: 'other:' }),
    ];
    for (const { reader } of worlds) await reader.follow('t');
    for (const [i, { broker }] of worlds.entries()) await broker.publish('t', String(i), { history });
    for (const [i, { reader }] of worlds.entries()) {
      await reader.caughtUp();
      expect([...(reader.readings.get('t')?.taken.values() ?? [])]).toEqual([String(i)]);
    }
    expect(worlds.map(({ reader }) => reader.suspects)).toEqual([0, 0, 0]);
    await useAll(worlds[0] ?? (await open({})));
    const keys = (await server.run('KEYS', '*')) as string[];
    expect(keys.filter((key) => !/^(live|other):(life|\{(t|last)\}(:[hlo]|:i:x)?)$/.test(key))).toEqual([]);
    const forever = [];
    for (const key of keys) if ((await server.run('TTL', key)) === -1) forever.push(key);
    expect(forever).toEqual([]);
  });

  it('the Redis broker keeps 300 random Unicode topics apart', async () => {
    const server = await RedisServer.start();
    const [{ reader }, { broker }] = [await open({ url: server.url }), await open({ url: server.url })];
    const unit = () => String.fromCharCode(Math.floor(Math.random() ** 4 * 65_536));
    const topics = [...new Set(Array.from({ length: 300 }, () => Array.from({ length: 5 }, unit).join('')))];
    await Promise.all(topics.map((topic) => reader.follow(topic)));
    await Promise.all(topics.map((topic) => broker.publish(topic, JSON.stringify(topic), { history })));
    await reader.caughtUp();
    for (const topic of topics) {
      expect([...(reader.readings.get(topic)?.taken.values() ?? [])]).toEqual([JSON.stringify(topic)]);
    }
    expect(await server.run('DBSIZE')).toBe(2 * new Set(topics.map(encodeTopic)).size + 1);
  });
});

redis('What Redis keeps', () => {
  it('keys expire in time: the history first, positions after 30 days', async () => {
    const server = await RedisServer.start();
    const { broker } = await open({ url: server.url });
    await broker.publish('t', '1', { history, latest: 'last-per-key', key: 'k', idempotencyKey: 'x' });
    await broker.tops(['untouched']);
    expect(await server.run('EXISTS', 'live:{untouched}')).toBe(0);
    const dayMs = 86_400_000;
    for (const [key, ms] of [
      ['live:{t}', 30 * dayMs],
      ['live:{t}:h', 60_000],
      ['live:{t}:l', 30 * dayMs],
      ['live:{t}:o', 30 * dayMs],
      ['live:{t}:i:x', 300_000],
      ['live:life', 60 * dayMs],
    ] as const) {
      const left = Number(await server.run('PTTL', key));
      expect([key, left <= ms && left > ms - 5_000]).toEqual([key, true]);
    }
    await server.run('PEXPIRE', 'live:{t}', '1000');
    const { top } = await broker.read('t', undefined, { count: 1, bytes: 1 });
    // Reading writes nothing.
    expect([top.offset, Number(await server.run('PTTL', 'live:{t}')) <= 1_000]).toEqual([1, true]);
  });

  it('[L-5.1] expired publications are not recovered, even while the topic continues', async () => {
    const server = await RedisServer.start();
    const { broker } = await open({ url: server.url });
    const rules = { history: { size: 100, ttlMs: 400, maxBytes: 1_000 } };
    const { epoch } = await broker.publish('t', '1', rules);
    await sleep(300);
    await broker.publish('t', '2', rules);
    await sleep(200);
    await broker.publish('t', '3', rules);
    const since = async (offset: number) =>
      (await broker.read('t', { epoch, offset }, { count: 10, bytes: 100 })).missed?.map(({ data }) => data);
    expect([await since(0), await since(1)]).toEqual([undefined, ['2', '3']]);
  });

  it('a topic with last-per-key keeps at most 10,000 keys and 1 MiB', async () => {
    const server = await RedisServer.start();
    const { broker } = await open({ url: server.url });
    const publish = (topic: string, key: string, data: string) =>
      broker.publish(topic, data, { key, latest: 'last-per-key' });
    const keys = Array.from({ length: 10_050 }, (_, i) => `k${String(i)}`);
    for (let at = 0; at < keys.length; at += 1_000)
      await Promise.all(keys.slice(at, at + 1_000).map((key) => publish('many', key, '1')));
    const many = (await broker.latest('many')).publications;
    expect([many.length, many[0]?.key, many.at(-1)?.key]).toEqual([10_000, 'k50', 'k10049']);
    const large = JSON.stringify('x'.repeat(199_998));
    for (const key of ['a', 'b', 'c', 'a', 'd', 'e', 'f']) await publish('large', key, large);
    const kept = (await broker.latest('large')).publications;
    expect(kept.map(({ key }) => key)).toEqual(['c', 'a', 'd', 'e', 'f']);
    expect(await server.run('HGET', 'live:{large}', 'b')).toBe('1000000');
  });

  it('a publication above maxPublicationBytes is refused, and larger ones of other instances are dropped', async () => {
    const server = await RedisServer.start();
    const [{ reader, broker }, other] = [
      await open({ url: server.url, maxPublicationBytes: 1_000 }),
      await open({ url: server.url }),
    ];
    await reader.follow('t');
    const data = JSON.stringify('x'.repeat(5_000));
    await expect(broker.publish('t', data, {})).rejects.toThrow('at most 1000 bytes');
    await other.broker.publish('t', data, {});
    await until('it is dropped', () => broker.junkTotal === 1, 1_000);
  });
});

redis('Redis readers that come and go', () => {
  it('10,000 subscribes and unsubscribes in a second cost a bounded number of Redis commands', async () => {
    const server = await RedisServer.start();
    const { broker } = await open({ url: server.url });
    const topics = Array.from({ length: 2_000 }, (_, i) => `t/${String(i)}`);
    await server.run('CONFIG', 'RESETSTAT');
    const startMs = performance.now();
    const asked: Promise<void>[] = [];
    for (let i = 0; i < 10_000; i++) {
      const topic = topics[(i * 7) % topics.length] ?? '';
      asked.push(broker.subscribe(topic));
      void broker.unsubscribe(topic);
      if (i % 100 === 99) await sleep(10);
    }
    await Promise.all(asked);
    const tookMs = performance.now() - startMs;
    await until('nothing stays', () => broker.subscribedTopics === 0, 6_000);
    const counts = await server.commandCounts();
    const commands = (counts.get('subscribe') ?? 0) + (counts.get('unsubscribe') ?? 0);
    console.info(`10,000 in ${tookMs.toFixed(0)} ms: ${String(commands)} commands`);
    expect(commands).toBeLessThan(150);
    const channels = (await server.run('PUBSUB', 'CHANNELS', 'live:{*')) as string[];
    expect([channels, broker.lossesTotal]).toEqual([[], 0]);
  });
});

import { expect, it, onTestFinished } from 'vitest';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { removalData } from '../../src/core/ports/broker.js';
import { maxKeyVersions } from '../../src/core/stream/key-versions.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { until } from './support/waiting.js';

const redis = describeWith(redisServer);
const latest = 'last-per-key';

async function open() {
  const server = await RedisServer.start();
  const broker = new RedisBroker({ url: server.url });
  onTestFinished(() => broker.close());
  broker.start({ publication() {}, suspect() {}, availability() {}, signal() {} });
  await until('the broker is available', () => broker.available, 5_000);
  const put = async (key: string, version: number, data = '1') =>
    (await broker.publish('t', data, { key, version, latest })).suppressed ?? 'stored';
  return { server, broker, put };
}

redis('Keys of a topic in Redis', () => {
  it('the versions of the most recent keys are kept when there are too many', async () => {
    const { server, put } = await open();
    await put('a', 5);
    await put('b', 5);
    // Pretends that this many keys have followed.
    await server.run('HSET', 'live:{t}', 'x', String(maxKeyVersions));
    await put('c', 5);
    await put('b', 6);
    expect([await put('a', 5), await put('b', 5), await put('c', 5)]).toEqual(['stale', 'stale', 'stale']);
    await server.run('HSET', 'live:{t}', 'x', String(maxKeyVersions));
    await put('d', 5);
    expect([await put('b', 6), await put('c', 5), await put('a', 5)]).toEqual(['stale', 'stale', 'stored']);
    expect(Number(await server.run('PTTL', 'live:{t}:v'))).toBeGreaterThan(0);
    expect(Number(await server.run('PTTL', 'live:{t}:w'))).toBeGreaterThan(0);
  });

  it.each(['live:{t}:v', 'live:{t}:w'])(
    'foreign data under %s is counted as junk and stops nothing',
    async (key) => {
      const { server, broker, put } = await open();
      await put('a', 5);
      await server.run('SET', key, 'x');
      expect([await put('a', 6), await put('a', 6)]).toEqual(['stored', 'stale']);
      expect(broker.junkTotal).toBe(1);
    },
  );

  it('versions left behind by a topic without state are ignored', async () => {
    const { server, put } = await open();
    await put('a', 5);
    await server.run('DEL', 'live:{t}', 'live:life');
    expect(await put('a', 1)).toBe('stored');
  });

  it('a key stored by an earlier version of the broker has no age', async () => {
    const { server, broker, put } = await open();
    await put('a', 1);
    const value = String(await server.run('HGET', 'live:{t}:l', 'a'));
    await server.run('HSET', 'live:{t}:l', 'a', `${'7'.padStart(16, '0')}${value.slice(16)}`);
    expect((await broker.latest('t', 1)).publications).toEqual([{ offset: 1, data: '1', key: 'a' }]);
  });

  it('removing the only key of a topic, or an unknown key, leaves no part of a snapshot', async () => {
    const { server, broker, put } = await open();
    const remove = { key: 'a', latest, remove: true } as const;
    const { epoch } = await broker.publish('t', removalData, remove);
    await put('a', 1);
    await broker.publish('t', removalData, remove);
    expect(await server.run('EXISTS', 'live:{t}:l', 'live:{t}:o')).toBe(0);
    await put('b', 1);
    expect(await broker.latest('t')).toEqual({
      top: { epoch, offset: 4 },
      publications: [{ offset: 4, data: '1', key: 'b' }],
    });
  });
});

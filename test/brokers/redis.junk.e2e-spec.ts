import { expect, it, onTestFinished } from 'vitest';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { BrokerReader } from './support/broker-reader.js';
import { until } from './support/waiting.js';

const redis = describeWith(redisServer);
const history = { size: 100, ttlMs: 60_000, maxBytes: 1_000 };
const limits = { count: 100, bytes: 100_000 };
const everything = { history, latest: 'last-per-key', key: 'k' } as const;

async function open(user = '') {
  const server = await RedisServer.start({ args: ['--enable-debug-command', 'yes'] });
  if (user !== '') await server.run('ACL', 'SETUSER', user, 'on', '>x', '~*', '&*', '+@all');
  const url = user === '' ? server.url : server.url.replace('//', `//${user}:x@`);
  const broker = new RedisBroker({ url });
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until('the broker is available', () => broker.available, 5_000);
  await reader.follow('t');
  return { server, broker, reader };
}

/** Everything that Redis stores of topics, except times. */
async function held(server: RedisServer): Promise<string[]> {
  const keys = ((await server.run('KEYS', 'live:{*')) as string[]).toSorted();
  return Promise.all(
    keys.map(async (key) => `${key} ${String(await server.run('DEBUG', 'DIGEST-VALUE', key))}`),
  );
}

redis('Foreign data under the keys of a topic', () => {
  it.each([
    ['a later entry', 'XADD', 'live:{t}:h', '*', 'x', 'y'],
    ['an entry that looks valid', 'XADD', 'live:{t}:h', '9-1', 'd', '9', 'c', '9'],
    ['the last possible entry', 'XADD', 'live:{t}:h', '18446744073709551615-18446744073709551615', 'x', 'y'],
    ['a string as the history', 'SET', 'live:{t}:h', 'x'],
    ['a list as the history', 'LPUSH', 'live:{t}:h', 'x'],
    ['a string as the metadata', 'SET', 'live:{t}', 'x'],
    ['an invalid offset', 'HSET', 'live:{t}', 'o', 'x'],
    ['an offset that is too high', 'HSET', 'live:{t}', 'o', '9007199254740991'],
    ['an invalid epoch', 'HSET', 'live:{t}', 'e', 'a b'],
    ['an invalid byte count', 'HSET', 'live:{t}', 'c', 'inf'],
    ['a string as the latest publications', 'SET', 'live:{t}:l', 'x'],
    ['a string as the order of the latest publications', 'SET', 'live:{t}:o', 'x'],
  ])(
    '[L-5.9] %s is counted as junk, stops nothing, and the loss it caused is reported',
    async (_what, ...command) => {
      const { server, broker, reader } = await open();
      const before = await broker.publish('t', '1', everything);
      await broker.publish('t', '2', everything);
      await reader.caughtUp();
      const [name = '', key = ''] = command;
      if (name === 'SET' || name === 'LPUSH') await server.run('DEL', key);
      await server.run(...command);
      const after = await broker.publish('t', '3', everything);
      await broker.publish('t', '4', everything);
      await reader.caughtUp();
      expect(after).toEqual({ epoch: after.epoch, offset: 1 });
      expect(after.epoch).not.toBe(before.epoch);
      expect(broker.junkTotal).toBe(1);
      expect(reader.readings.get('t')?.reported).toHaveLength(1);
      expect((await broker.read('t', before, limits)).missed).toBeUndefined();
      expect((await broker.read('t', after, limits)).missed).toEqual([{ offset: 2, data: '4', key: 'k' }]);
      expect((await broker.latest('t')).publications).toEqual([{ offset: 2, data: '4', key: 'k' }]);
      expect(broker.junkTotal).toBe(1);
    },
  );

  it.each([
    ['XADD', 'live:{t}:h', '5-1', 'x', 'y'],
    ['SET', 'live:{t}:h', 'x'],
    ['SET', 'live:{t}:l', 'x'],
    ['SET', 'live:{t}', 'x'],
  ])('[L-5.3] foreign data written by %s %s stops no reader', async (...command) => {
    const { server, broker } = await open();
    const first = await broker.publish('t', '1', {});
    await broker.publish('t', '2', {});
    await server.run(...command);
    expect((await broker.read('t', first, limits)).missed).toBeUndefined();
    expect((await broker.latest('t')).publications).toEqual([]);
    expect((await broker.tops(['t', 'u'])).size).toBe(2);
    await broker.publish('t', '3', everything);
    expect((await broker.latest('t')).publications).toHaveLength(1);
    expect(broker.junkTotal).toBeGreaterThan(0);
  });

  it('[L-5.3] a foreign entry in the history is counted and not delivered', async () => {
    const { server, broker } = await open();
    const first = await broker.publish('t', '1', { history });
    await server.run('XADD', 'live:{t}:h', `1-${String(Date.now() + 1e9)}`, 'd', '{', 'c', '1');
    await broker.publish('t', '2', { history });
    const { missed } = await broker.read('t', { ...first, offset: 0 }, limits);
    expect([missed, broker.junkTotal]).toEqual([undefined, 1]);
  });

  it('[L-4.3] foreign data is not taken as the result of an idempotency key', async () => {
    const { server, broker } = await open();
    await server.run('SET', 'live:{t}:i:a', 'x');
    await server.run('LPUSH', 'live:{t}:i:b', 'x');
    for (const idempotencyKey of ['a', 'b']) {
      const { suppressed } = await broker.publish('t', '1', { idempotencyKey });
      expect(suppressed).toBeUndefined();
      expect((await broker.publish('t', '1', { idempotencyKey })).suppressed).toBe('duplicate');
    }
    expect(broker.junkTotal).toBe(2);
  });

  it('[L-4.2] foreign data does not make a topic forget its newest version', async () => {
    const { server, broker } = await open();
    await broker.publish('t', '1', { history, version: 7 });
    await server.run('XADD', 'live:{t}:h', '*', 'x', 'y');
    await broker.publish('t', '2', { history });
    expect((await broker.publish('t', '3', { history, version: 7 })).suppressed).toBe('stale');
  });
});

redis('Publications that Redis refuses', () => {
  const asked = { ...everything, version: 2, idempotencyKey: 'x' };

  it.each([
    ['xadd', ['1', '2', '3'], undefined],
    // Half-written, so the epoch ended with it.
    ['pexpire', ['2', '3'], undefined],
    ['zadd', ['2', '3'], undefined],
    ['hset', ['2', '3'], undefined],
    // Stored without an answer, so the retry stores it again.
    ['publish', ['1', '"refused"', '2', '3'], undefined],
    // Sent, and recognized by its version.
    ['set', ['1', '"refused"', '3'], 'stale'],
  ])(
    '[L-4.3] a publication refused without the right to %s is not lost when it is retried',
    async (right, all, suppressed) => {
      const { server, broker, reader } = await open('ann');
      const { epoch } = await broker.publish('t', '1', { ...everything, version: 1 });
      await reader.caughtUp();
      const before = await held(server);
      await server.run('ACL', 'SETUSER', 'ann', `-${right}`);
      await expect(broker.publish('t', '"refused"', asked)).rejects.toThrow('Redis refuses');
      if (right === 'xadd') expect(await held(server)).toEqual(before);
      await server.run('ACL', 'SETUSER', 'ann', `+${right}`);
      const again = await broker.publish('t', '2', asked);
      expect(again.suppressed).toBe(suppressed);
      await reader.caughtUp();
      await reader.readings.get('t')?.healing;
      await broker.publish('t', '3', { history });
      await reader.caughtUp();
      const { missed } = await broker.read('t', { epoch: again.epoch, offset: 0 }, limits);
      expect([missed?.map(({ data }) => data), broker.junkTotal]).toEqual([all, 0]);
      const { reported, taken } = reader.readings.get('t') ?? {};
      const ended = again.epoch !== epoch;
      expect([ended, reported?.length]).toEqual([all.length === 2, ended ? 1 : 0]);
      expect([...(taken?.values() ?? [])]).toEqual(ended ? ['1', '3'] : all);
    },
  );

  it.each([{ history }, { latest: 'last' }, {}] as const)(
    '[L-4.3] a publication refused for lack of memory leaves nothing behind: %j',
    async (options) => {
      const { server, broker } = await open();
      const { epoch } = await broker.publish('t', '1', { ...options, version: 1 });
      const before = await held(server);
      await server.run('CONFIG', 'SET', 'maxmemory', '1');
      const more = { ...options, version: 2, idempotencyKey: 'x' };
      await expect(broker.publish('t', '"refused"', more)).rejects.toThrow('OOM');
      expect(await held(server)).toEqual(before);
      await server.run('CONFIG', 'SET', 'maxmemory', '0');
      expect(await broker.publish('t', '2', more)).toEqual({ epoch, offset: 2 });
    },
  );
});

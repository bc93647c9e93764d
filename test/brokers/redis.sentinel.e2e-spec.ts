import { expect, it, onTestFinished } from 'vitest';
import { RedisBroker, type RedisBrokerOptions, RedisIngestion } from '../../src/brokers/redis/index.js';
import { brokerOf } from '../../apps/standalone/broker.js';
import { ServerSettings } from '../../apps/standalone/settings.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisSentinels } from '../support/redis-sentinels.js';
import type { RedisServer } from '../support/redis-server.js';
import { type Acknowledged, BrokerReader, judge, mixedPositions } from './support/broker-reader.js';
import { SteadyPublisher } from './support/steady-publisher.js';
import { sleep, until } from './support/waiting.js';

const sentinel = describeWith(redisServer);
const topics = ['a', 'b', 'c'];

async function instance(options: RedisBrokerOptions) {
  const broker = new RedisBroker(options);
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until('the broker is available', () => broker.available, 8_000);
  return { broker, reader };
}

/** Two instances that publish and read. */
async function world(options: RedisBrokerOptions) {
  const instances = [await instance(options), await instance(options)];
  for (const topic of topics) for (const { reader } of instances) await reader.follow(topic);
  const publishers = instances.map(({ broker }) => new SteadyPublisher(broker, topics));
  return {
    instances,
    /**
     * Asserts that all readers have the same data for a position, or were informed of a loss. With
     * `ends`, an acknowledged publication beyond the end of its epoch counts only for readers that
     * have it: no server and no other reader ever got it.
     */
    async verdict(ends: ReadonlyMap<string, number> = new Map()) {
      await sleep(500);
      await Promise.all(publishers.map((publisher) => publisher.stop()));
      const acknowledged = publishers.flatMap((publisher) => publisher.acknowledged);
      const readers = instances.map(({ reader }) => reader);
      for (const reader of readers) await reader.caughtUp();
      expect(mixedPositions(acknowledged, readers)).toEqual([]);
      const stored = ({ topic, epoch, offset }: Acknowledged): boolean =>
        offset <= (ends.get(`${topic} ${epoch}`) ?? Infinity);
      const has = (reader: BrokerReader, { topic, epoch, offset }: Acknowledged): boolean =>
        reader.readings.get(topic)?.taken.has(`${epoch} ${String(offset)}`) === true;
      return readers.map((reader) => ({
        ...judge(
          acknowledged.filter((each) => stored(each) || has(reader, each)),
          reader,
        ),
        freshStarts: [...reader.readings.values()].reduce((sum, { reported }) => sum + reported.length, 0),
        losses: reader.availabilities.filter((available) => !available).length,
      }));
    },
  };
}

/** Waits until an instance goes away and is back. Returns the milliseconds in between. */
async function awayMs({ broker }: { broker: RedisBroker }): Promise<number> {
  await until('it is away', () => !broker.available, 15_000);
  const start = performance.now();
  await until('it is back', () => broker.available, 15_000);
  return performance.now() - start;
}

/** The last offset that a server has of each earlier epoch, by topic and epoch. */
async function endsOf(server: RedisServer): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  for (const topic of topics) {
    const words = String(await server.run('HGET', `live:{${topic}}`, 'p')).split(' ');
    for (let at = 0; at + 1 < words.length; at += 2)
      ends.set(`${topic} ${words[at] ?? ''}`, Number(words[at + 1]));
  }
  return ends;
}

const counts = { silent: 0, firstSilent: undefined, disorder: 0 };

sentinel('Redis by its sentinels', () => {
  it('[L-5.2] planned failovers there and back lose nothing acknowledged', async () => {
    const group = await RedisSentinels.start();
    const [first, second] = group.servers;
    const { instances, verdict } = await world({ url: group.url });
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      await sleep(300);
      const away = Promise.all(instances.map(awayMs));
      await group.run(0, 'SENTINEL', 'FAILOVER', 'main');
      expect(Math.max(...(await away))).toBeLessThan(5_000);
      // The old master still accepts writes for about 11 s, if a client sends any.
      await until('the old master follows', () => group.follows(from), 30_000);
      expect(await group.masterPort()).toBe(to.port);
    }
    const results = await verdict();
    for (const result of results)
      // A publication that readers have, and the promoted server not, costs a fresh start.
      expect(result).toMatchObject({ ...counts, reported: 0, taken: result.acknowledged });
  }, 90_000);

  it('[L-4.2] instances follow the promoted master when the old one dies and returns', async () => {
    const group = await RedisSentinels.start();
    const [first, second] = group.servers;
    const { instances, verdict } = await world({ url: group.url });
    await sleep(300);
    const away = Promise.all(instances.map(awayMs));
    await first.stop('SIGKILL');
    await away;
    await until('it is known', async () => (await group.masterPort()) === second.port, 15_000);
    // It returns as a master until a sentinel demotes it.
    await first.start();
    await until('it follows', () => group.follows(first), 30_000);
    // Redis acknowledges before its replica has the data, so a death may take what nobody else has.
    const ends = await endsOf(second);
    expect(ends.size).toBe(topics.length);
    for (const result of await verdict(ends)) expect(result).toMatchObject({ ...counts, losses: 1 });
  }, 60_000);

  it('the broker connects while a sentinel is away, and follows a failover that one sentinel led', async () => {
    const group = await RedisSentinels.start({ password: 'canary' });
    await group.stopSentinel(0);
    const failed: string[] = [];
    const { broker } = await instance({
      url: group.url,
      sentinelClient: { password: 'canary' },
      onError: (doing, error) => failed.push(`${doing}: ${String(error)}`),
    });
    await until('it is said', () => failed.some((text) => text.startsWith('querying a sentinel')), 5_000);
    await group.startSentinel(0);
    await sleep(3_000);
    const away = awayMs({ broker });
    await group.run(0, 'SENTINEL', 'FAILOVER', 'main');
    await away;
    await broker.publish('a', '1', {});
    expect(await group.servers[1].run('EXISTS', 'live:{a}')).toBe(1);
    expect(failed.join()).not.toContain('canary');
  }, 60_000);

  it('the broker stays available without sentinels, and reports what is wrong with them at the start', async () => {
    const group = await RedisSentinels.start({ password: 'secret' });
    const { broker } = await instance({ url: group.url, sentinelClient: { password: 'secret' } });
    const failures = async (url: string, sentinelClient = {}): Promise<string> => {
      const said: string[] = [];
      const other = new RedisBroker({
        url,
        sentinelClient,
        onError: (_doing, error) => said.push(String(error)),
      });
      onTestFinished(() => other.close());
      const { availabilities } = new BrokerReader(other);
      await until('it is said', () => said.length > 0, 5_000);
      await other.close();
      expect(availabilities).toEqual([]);
      return said.join();
    };
    expect(await failures(group.url)).toContain('NOAUTH');
    expect(await failures(group.url.replace('/main', '/other'), { password: 'secret' })).toContain(
      'No such master',
    );
    const plain = `redis://:secret@${group.addresses[0] ?? ''}`;
    expect(await failures(plain)).toContain('use redis+sentinel://');
    for (const at of [0, 1, 2]) await group.stopSentinel(at);
    await sleep(3_000);
    expect(broker.available).toBe(true);
    expect((await broker.publish('a', '1', {})).offset).toBe(1);
    expect(await failures(group.url)).toContain('No sentinel names the master: connect ECONNREFUSED');
  }, 60_000);

  it('the standalone server and its ingestion follow the master through a failover', async () => {
    const group = await RedisSentinels.start();
    const broker = await brokerOf(Object.assign(new ServerSettings(), { LIVE_BROKER_URL: group.url }));
    onTestFinished(() => broker?.close());
    const published: string[] = [];
    const ingestion = new RedisIngestion({
      url: group.url,
      publish: (topic, data) => {
        published.push(`${topic} ${JSON.stringify(data?.value)}`);
        return Promise.resolve({});
      },
    });
    onTestFinished(() => ingestion.close());
    ingestion.start();
    expect(broker).toBeInstanceOf(RedisBroker);
    const [first, second] = group.servers;
    await first.run('XADD', 'live:in', '*', 'topic', 'a', 'data', '1');
    await until('it is published', () => published.length === 1, 5_000);
    await group.run(0, 'SENTINEL', 'FAILOVER', 'main');
    await until('the next one is the master', async () => (await group.masterPort()) === second.port, 15_000);
    await second.run('XADD', 'live:in', '*', 'topic', 'a', 'data', '2');
    await until('the second is published', () => published.includes('a 2'), 5_000);
    expect(published).toEqual(['a 1', 'a 2']);
  }, 60_000);
});

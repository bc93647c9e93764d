import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { hashSlot } from '../../src/brokers/redis/hash-slot.js';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { eachBrokerCheck } from '../../src/testing/index.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { BrokerReader } from './support/broker-reader.js';
import { sleep, until } from './support/waiting.js';

const redis = describeWith(redisServer);

redis('RedisBroker on a cluster keeps the contract of the broker port', () => {
  const removals: (() => Promise<void>)[] = [];
  let cluster: RedisCluster;
  let checks = 0;

  // One cluster for all checks, because it takes seconds to form. Each check has its own prefix.
  beforeAll(async () => {
    cluster = await RedisCluster.start({ over: (remove) => removals.push(remove) });
  });
  afterAll(async () => {
    for (const remove of removals) await remove();
  });

  eachBrokerCheck(it, {
    without: ['restart', 'junk'],
    open() {
      const prefix = `check-${String((checks += 1))}:`;
      const another = () => new RedisBroker({ url: cluster.urls, prefix });
      return {
        broker: another(),
        another,
        async loseStreams() {
          for (const node of cluster.nodes) await node.run('FLUSHALL');
        },
        close: () => {},
      };
    },
  });
});

async function open(cluster: RedisCluster) {
  const broker = new RedisBroker({ url: cluster.urls });
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until('the broker is available', () => broker.available, 5_000);
  return { broker, reader };
}

redis('A Redis cluster', () => {
  it('a cluster carries each topic on its own node only', async () => {
    const cluster = await RedisCluster.start();
    const [{ broker, reader }, { broker: other }] = [await open(cluster), await open(cluster)];
    const topics = Array.from({ length: 60 }, (_, i) => `fleet/${String(i)}`);
    await Promise.all(topics.map((topic) => reader.follow(topic)));
    await Promise.all(topics.map((topic) => other.publish(topic, '1', {})));
    await reader.caughtUp();
    expect(reader.readings.size).toBe(60);
    for (const { taken } of reader.readings.values()) expect(taken.size).toBe(1);
    for (const node of cluster.nodes) {
      const counts = await node.commandCounts();
      expect(counts.get('spublish')).toBeGreaterThan(5);
      expect(counts.get('spublish')).toBeLessThan(40);
      const channels = (await node.run('PUBSUB', 'SHARDCHANNELS', 'live:{*')) as string[];
      expect(channels.length).toBe(counts.get('spublish'));
    }
    expect((await broker.tops(topics)).size).toBe(60);
  });

  it('[L-4.5] the broker follows a moved slot: it subscribes at the new node and compares positions there', async () => {
    const cluster = await RedisCluster.start();
    const [{ reader, broker }, { broker: other }] = [await open(cluster), await open(cluster)];
    const history = { size: 10_000, ttlMs: 600_000, maxBytes: 1_000_000 };
    await reader.follow('t');
    const before = await other.publish('t', '0', { history });
    const publishing = { on: true };
    let last = 0;
    const loop = (async () => {
      while (publishing.on) {
        await other.publish('t', String(last + 1), { history }).then(
          () => void (last += 1),
          () => {},
        );
        await sleep(2);
      }
    })();
    for (let i = 0; i < 3; i++) {
      await sleep(150);
      await cluster.moveSlot(hashSlot('{t}'));
    }
    await sleep(300);
    publishing.on = false;
    await loop;
    await reader.caughtUp();
    const reading = reader.readings.get('t');
    expect(last).toBeGreaterThan(100);
    expect(reading?.disorder).toBe(0);
    expect(reader.suspects).toBeGreaterThanOrEqual(3);
    // Another server is another life of the store: the topic continues in a new epoch without a
    // loss.
    expect(reading?.position.epoch).not.toBe(before.epoch);
    expect(reading?.reported).toEqual([]);
    expect([broker.lossesTotal, other.lossesTotal]).toEqual([0, 0]);
  });

  it('[L-5.9] the broker subscribes again if the node ends a subscription right behind its answer', async () => {
    const cluster = await RedisCluster.start();
    const [{ reader }, { broker: other }] = [await open(cluster), await open(cluster)];
    const slot = hashSlot('{t}');
    const node = await cluster.masterOf(slot);
    const admin = await node.admin();
    onTestFinished(() => admin.destroy());
    const id = String(await admin.sendCommand(['CLUSTER', 'MYID']));
    // Two commands that wait for a frozen node are answered together.
    node.freeze();
    const following = reader.follow('t');
    await sleep(50);
    // To be named the owner again ends all subscriptions of the slot, as at the end of a move.
    const named = admin.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'NODE', id]);
    await sleep(50);
    node.thaw();
    await Promise.all([following, named]);
    // The end may also come a moment after the answer. What is published until the broker has
    // subscribed again is then in the history only.
    const history = { size: 10, ttlMs: 600_000, maxBytes: 100_000 };
    for (let i = 0; i < 3; i++) await other.publish('t', String(i), { history });
    await reader.caughtUp();
    expect(reader.readings.get('t')?.taken.size).toBe(3);
    expect(reader.suspects).toBe(1);
  });

  it('publications continue while their slot moves, and those that need a missing key are refused', async () => {
    const cluster = await RedisCluster.start();
    const { broker } = await open(cluster);
    const history = { size: 10, ttlMs: 600_000, maxBytes: 1_000_000 };
    await broker.publish('t', '1', { history });
    const other = Array.from({ length: 100_000 }, (_, i) => `u${String(i)}`).find(
      (topic) => hashSlot(`{${topic}}`) === hashSlot('{t}'),
    );
    const move = await cluster.beginMove(hashSlot('{t}'));
    expect((await broker.publish('t', '2', { history })).offset).toBe(2);
    const refused = [broker.publish(other ?? '', '1', {}), broker.publish('t', '3', { idempotencyKey: 'k' })];
    for (const result of await Promise.allSettled(refused)) expect(result.status).toBe('rejected');
    expect(broker.available).toBe(true);
    await move.end();
    const afterwards = async () => (await broker.publish(other ?? '', '1', {})).offset;
    await expect.poll(afterwards, { timeout: 5_000 }).toBeGreaterThan(0);
    expect((await broker.publish('t', '3', { history, idempotencyKey: 'k' })).offset).toBe(3);
  }, 30_000);

  it('the broker is away while a cluster node is gone, and back with the node', async () => {
    const cluster = await RedisCluster.start();
    const { broker, reader } = await open(cluster);
    await reader.follow('t');
    const [, , node] = cluster.nodes;
    node?.freeze();
    await until('it is away', () => !broker.available, 5_000);
    await expect(broker.publish('t', '1', {})).rejects.toThrow('away');
    node?.thaw();
    await until('it is back', () => broker.available, 10_000);
    await until('it publishes', () => broker.available, 1_000);
    expect(reader.suspects).toBe(1);
  }, 30_000);
});

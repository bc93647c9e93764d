import { connect } from '@nats-io/transport-node';
import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker } from '../../src/brokers/nats/index.js';
import { RedisBroker, RedisIngestion } from '../../src/brokers/redis/index.js';
import type { Broker } from '../../src/core/ports/broker.js';
import { Random } from '../../src/testing/sim/random.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { type Acknowledged, BrokerReader, judge } from './support/broker-reader.js';
import { until } from './support/waiting.js';

const topics = ['a', 'b', 'c'];
const count = 6_000;
const options = { history: { size: 100, ttlMs: 60_000, maxBytes: 100_000 } };
const random = new Random(7);

/** Random bytes up to a length of 300, sometimes with the start of a valid message. */
function randomBytes(): Buffer {
  const head = random.pick(['', '', '1 ', '1 e 5 - ', '{"v":1,"e":"x","o":9}\n']);
  const bytes = Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** A reader of all topics that counts the signals it accepts. */
class Reader extends BrokerReader {
  signals = 0;

  override signal(): void {
    this.signals += 1;
  }
}

/** A reader of all topics of a broker, which is closed when the test has finished. */
async function readerOf(broker: Broker): Promise<Reader> {
  onTestFinished(() => broker.close());
  const reader = new Reader(broker);
  await until('it is available', () => broker.available, 5_000);
  for (const topic of topics) await reader.follow(topic);
  return reader;
}

describeWith(redisServer)('Random bytes on every channel and stream in Redis', () => {
  it('[L-5.9] random bytes on Redis channels and streams are counted, stop nothing, and cost no publication', async () => {
    const server = await RedisServer.start();
    const admin = await server.admin();
    onTestFinished(() => admin.destroy());
    const broker = new RedisBroker({ url: server.url });
    const reader = await readerOf(broker);
    const ingestion = new RedisIngestion({
      url: server.url,
      publish: async (topic, data) => broker.publish(topic, JSON.stringify(data), options),
    });
    ingestion.start();
    onTestFinished(() => ingestion.close());
    const channels = (await admin.sendCommand(['PUBSUB', 'CHANNELS', 'live:*'])) as unknown as string[];
    // Topics, signals, and the probe of this broker.
    expect(channels).toHaveLength(topics.length + 2);
    let [toCount, added] = [0, 0];
    for (let i = 0; i < count; i++) {
      const [channel, bytes] = [random.pick(channels), randomBytes()];
      // Random digits look like a probe.
      const isProbe = channel.includes('probe') && /^\d{1,16}$/.test(bytes.toString('latin1', 0, 32));
      if (!isProbe) toCount += 1;
      await admin.publish(channel, bytes as unknown as string);
      if (i % 6 !== 0) continue;
      const [field, value] = [random.pick(['topic', 'data', 'x', randomBytes()]), randomBytes()];
      await admin.sendCommand(['XADD', 'live:in', '*', field as string, value as unknown as string]);
      added += 1;
    }
    await until('all of live:in is done', () => ingestion.stats().deadLettersTotal === added, 20_000);
    for (const topic of topics) for (let n = 0; n < 10; n++) await broker.publish(topic, String(n), options);
    await reader.caughtUp();
    const { junkTotal, lossesTotal, available } = broker;
    const deadLetters = ingestion.stats().deadLettersTotal;
    const figures = { sent: count, toCount, junkTotal, signals: reader.signals, added, deadLetters };
    console.info(`Redis: ${JSON.stringify(figures)}`);
    expect(junkTotal + reader.signals).toBe(toCount);
    expect([available, lossesTotal, ingestion.stats().publishedTotal]).toEqual([true, 0, 0]);
    for (const { taken, reported, disorder } of reader.readings.values())
      expect([taken.size, reported, disorder]).toEqual([10, [], 0]);
  }, 60_000);
});

describeWith(redisServer)('Random bytes under every key of a topic in Redis', () => {
  it('[L-5.9] random bytes under the keys of a topic are counted, stop no publication, and their damage is reported', async () => {
    const server = await RedisServer.start();
    const admin = await server.admin();
    onTestFinished(() => admin.destroy());
    const broker = new RedisBroker({ url: server.url });
    const reader = await readerOf(broker);
    const acknowledged: Acknowledged[] = [];
    const all = { ...options, latest: 'last-per-key', key: 'k' } as const;
    let [entries, keys, uncounted] = [0, 0, 0];
    const epochs = new Set<string>();
    for (let i = 0; i < 1_500; i++) {
      const topic = random.pick(topics);
      const [meta, kind, bytes] = [`live:{${topic}}`, random.below(6), randomBytes()];
      const before = broker.junkTotal;
      const write = async (...command: readonly (string | Buffer)[]): Promise<number> => {
        await admin.sendCommand(command as string[]);
        return 1;
      };
      if (kind < 2) {
        const [id, field] = [random.pick(['*', '999999999-1']), random.pick(['d', 'c', randomBytes()])];
        entries += await write('XADD', `${meta}:h`, id, field, bytes, 'c', randomBytes());
      } else if (kind === 2) {
        keys += await write('SET', meta + random.pick(['', ':h', ':l', ':o']), bytes);
      } else if (kind === 3) {
        const field = random.pick(['e', 'o', 'c', 'f', 't', 'n', 'b']);
        keys += await write('HSET', meta, field, bytes);
      }
      if (random.below(2) === 0) await broker.latest(topic);
      const data = String(i);
      const position = await broker.publish(topic, data, all);
      acknowledged.push({ topic, data, ...position });
      // Random digits look like valid field values.
      const isNumber = kind === 3 && /^\s*\d/.test(bytes.toString('latin1'));
      if (kind < 4 && !isNumber && broker.junkTotal === before) uncounted += 1;
      if (epochs.has(position.epoch)) continue;
      epochs.add(position.epoch);
      await reader.caughtUp();
      await reader.readings.get(topic)?.healing;
    }
    await reader.caughtUp();
    const { junkTotal, lossesTotal } = broker;
    const { silent, disorder, ...figures } = judge(acknowledged, reader);
    const seen = { entries, keys, junkTotal, uncounted, epochs: epochs.size, ...figures };
    console.info(`Redis keys: ${JSON.stringify(seen)}`);
    expect([silent, disorder, lossesTotal, uncounted]).toEqual([0, 0, 0, 0]);
    for (const topic of topics) expect((await broker.publish(topic, '1', options)).offset).toBeGreaterThan(0);
  }, 60_000);
});

describeWith(natsServer)('Random bytes on every subject of NATS', () => {
  it('[L-5.9] random bytes on NATS subjects are counted, stop nothing, and their damage is reported', async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    const broker = new NatsBroker({ url: server.url });
    const reader = await readerOf(broker);
    const stored = await server.withManager(async (jsm) => (await jsm.streams.info('LIVE')).config.subjects);
    const stranger = await connect({ servers: server.url });
    onTestFinished(() => stranger.close());
    const outlets = topics.map((topic) => `live.out.${topic}`);
    const passing = [...outlets, 'live.signal', 'live.turn'];
    // Stored messages are also delivered.
    const kept = stored.flatMap((subject) => topics.map((topic) => subject.replace('*', topic)));
    const inlets = kept.filter((subject) => subject.startsWith('live.in.'));
    expect([inlets.length, kept.length]).toEqual([topics.length, 2 * topics.length]);
    let toCount = 0;
    for (let i = 0; i < count; i++) {
      const subject = random.pick([...passing, ...kept]);
      const bytes = randomBytes();
      // Random bytes that look like a request for a turn, which has no other content to validate.
      const isTurn = subject === 'live.turn' && /^1 [^ ]* /.test(bytes.toString());
      if ((passing.includes(subject) && !isTurn) || inlets.includes(subject)) toCount += 1;
      stranger.publish(subject, bytes);
      if (i % 500 === 0) await stranger.flush();
    }
    await stranger.flush();
    const seen = (): number => broker.junkTotal + reader.signals;
    await until('all have been seen', () => seen() >= toCount, 20_000);
    for (const topic of topics) for (let n = 0; n < 10; n++) await broker.publish(topic, String(n), options);
    await reader.caughtUp();
    const { junkTotal, lossesTotal, available } = broker;
    console.info(
      `NATS: ${JSON.stringify({ sent: count, toCount, junkTotal, signals: reader.signals, lossesTotal })}`,
    );
    expect([available, lossesTotal]).toEqual([true, 0]);
    // The last message of each topic was invalid, so its stream is lost and starts again.
    for (const { position, reported, disorder } of reader.readings.values())
      expect([position.offset, reported.length > 0, disorder]).toEqual([10, true, 0]);
  }, 60_000);
});

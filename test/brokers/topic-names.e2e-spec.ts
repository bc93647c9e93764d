import { connect } from '@nats-io/transport-node';
import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker } from '../../src/brokers/nats/index.js';
import { tokenOf } from '../../src/brokers/nats/nats-subjects.js';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { encodeTopic } from '../../src/brokers/redis/redis-keys.js';
import { type Broker, type Publication, silentSink } from '../../src/core/ports/broker.js';
import { Random } from '../../src/testing/sim/random.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { sleep, until } from './support/waiting.js';

const count = 100_000;
const atOnce = 2_000;
const limits = { count: 10, bytes: 10_000 };
const history = { size: 1, ttlMs: 600_000, maxBytes: 1_000 };
/** Characters with a meaning to Redis, to NATS or to an encoding. */
const special = ['{', '}', '*', '>', '.', ':', ' ', '\r\n', '%', '%007b', '%7B', '/', '\0', '$JS', '🚋', 'é'];

/** Distinct random UTF-16 names, including unpaired surrogates. */
function randomTopics(seed: number): string[] {
  const random = new Random(seed);
  const unit = (): string =>
    random.chance(0.3)
      ? random.pick(special)
      : String.fromCharCode(random.below(random.chance(0.5) ? 128 : 65_536));
  const topics = new Set<string>();
  while (topics.size < count) topics.add(Array.from({ length: 1 + random.below(12) }, unit).join(''));
  return [...topics];
}

async function forAll(topics: readonly string[], run: (topic: string) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < topics.length; at += atOnce)
    await Promise.all(topics.slice(at, at + atOnce).map(run));
}

/** One instance reads all topics, the other publishes each topic's own name to it. */
async function carryAll(topics: readonly string[], [reading, sending]: readonly [Broker, Broker]) {
  let [came, astray, suspects] = [0, 0, 0];
  const heard = new Set<string>();
  const take = (topic: string, { offset, data }: Publication): void => {
    came += 1;
    heard.add(topic);
    if (JSON.parse(data) !== topic || offset !== 1) astray += 1;
  };
  reading.start({
    ...silentSink,
    publication: (topic, _epoch, publication) => take(topic, publication),
    suspect: () => void (suspects += 1),
  });
  sending.start(silentSink);
  await until('both are available', () => reading.available && sending.available, 10_000);
  const startMs = performance.now();
  await forAll(topics, (topic) => reading.subscribe(topic));
  await forAll(topics, (topic) => sending.publish(topic, JSON.stringify(topic), { history }));
  // The engine delivers at most once, so a busy machine may lose some. Read those, as instances do.
  for (let before = -1; came < topics.length && came > before; await sleep(2_000)) before = came;
  const missed = topics.filter((topic) => !heard.has(topic));
  await forAll(missed, async (topic) => {
    const { top } = await reading.read(topic, undefined, limits);
    const found = await reading.read(topic, { ...top, offset: 0 }, limits);
    for (const publication of found.missed ?? []) take(topic, publication);
  });
  const ms = Math.round(performance.now() - startMs);
  return { came, topics: heard.size, astray, suspects, askedFor: missed.length, ms };
}

describeWith(redisServer)('100,000 random Unicode topics on Redis', () => {
  it('[L-3.1] 100,000 random topics are kept apart in Redis, and nothing outside the prefix is touched', async () => {
    const topics = randomTopics(1);
    const server = await RedisServer.start();
    const others = ['live', 'live:', 'lives:{a}', 'LIVE:{a}', 'other:{a}', '{a}', 'a'];
    for (const key of others) await server.run('SET', key, 'theirs');
    const spy = await server.admin();
    onTestFinished(() => spy.destroy());
    let outside = 0;
    await spy.pSubscribe('*', (_text, channel) => {
      if (!channel.startsWith('live:')) outside += 1;
    });
    const brokers = [new RedisBroker({ url: server.url }), new RedisBroker({ url: server.url })] as const;
    onTestFinished(async () => void (await Promise.all(brokers.map((broker) => broker.close()))));
    const names = new Set(topics.map(encodeTopic)).size;
    const result = await carryAll(topics, brokers);
    const admin = await server.admin();
    onTestFinished(() => admin.destroy());
    const keys = (await admin.sendCommand(['KEYS', '*'])) as unknown as string[];
    // Besides the topics there is the record of the store's life.
    const strange = keys.filter(
      (key) => !/^live:life$|^live:\{[\w.~/%-]+\}(:h)?$/.test(key) && !others.includes(key),
    );
    const theirs = (await admin.sendCommand(['MGET', ...others])) as unknown as string[];
    console.info(`Redis: ${JSON.stringify({ ...result, names, keys: keys.length, outside })}`);
    expect([names, result.came, result.topics, result.astray]).toEqual([count, count, count, 0]);
    expect([strange, outside, keys.length]).toEqual([[], 0, 2 * count + 1 + others.length]);
    expect(new Set(theirs)).toEqual(new Set(['theirs']));
  }, 120_000);
});

describeWith(natsServer)('100,000 random Unicode topics on NATS', () => {
  it('[L-3.1] 100,000 random topics are kept apart in NATS, and nothing outside the prefix is touched', async () => {
    const topics = randomTopics(2);
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    await server.withManager((jsm) => jsm.streams.add({ name: 'THEIRS', subjects: ['lives.>', 'liv.>'] }));
    const spy = await connect({ servers: server.url });
    onTestFinished(() => spy.close());
    const outside = new Set<string>();
    spy.subscribe('>', {
      callback: (_error, { subject }) => {
        if (!/^(live\.(in|out|keep|signal|turn)(\.|$)|\$JS\.|_INBOX\.)/.test(subject)) outside.add(subject);
      },
    });
    // A shared disk may delay one of 100,000 calls. This test is about names.
    const options = {
      url: server.url,
      stream: { maxBytes: 2 ** 31 },
      callTimeoutMs: 20_000,
      probeTimeoutMs: 20_000,
    };
    const brokers = [new NatsBroker(options), new NatsBroker(options)] as const;
    onTestFinished(async () => void (await Promise.all(brokers.map((broker) => broker.close()))));
    const names = new Set(topics.map(tokenOf)).size;
    const result = await carryAll(topics, brokers);
    const [ours, theirs] = await server.withManager(async (jsm) =>
      Promise.all(['LIVE', 'THEIRS'].map(async (name) => (await jsm.streams.info(name)).state)),
    );
    console.info(
      `NATS: ${JSON.stringify({ ...result, names, subjects: ours?.num_subjects, outside: outside.size })}`,
    );
    expect([names, result.came, result.topics, result.astray]).toEqual([count, count, count, 0]);
    expect([...outside]).toEqual([]);
    // One more subject for the record of the store's life.
    expect([ours?.num_subjects, theirs?.messages]).toEqual([count + 1, 0]);
  }, 240_000);
});

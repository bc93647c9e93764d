import { DiscardPolicy, type StreamUpdateConfig } from '@nats-io/jetstream';
import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker, type NatsBrokerOptions } from '../../src/brokers/nats/index.js';
import { RedisBroker, type RedisBrokerOptions } from '../../src/brokers/redis/index.js';
import { type Broker, silentSink } from '../../src/core/ports/broker.js';
import type { PublishRefusal } from '../../src/core/ports/publish-refusal.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { BrokerReader } from './support/broker-reader.js';
import { until } from './support/waiting.js';

/** The result of a publication: its offset, or the kind and the message of the refusal. */
async function outcome(broker: Broker, data = '1'): Promise<number | string> {
  try {
    return (await broker.publish('a', data, {})).offset;
  } catch (error) {
    const { name, kind, message } = error as PublishRefusal;
    return name === 'PublishRefusal' ? `${kind}: ${message}` : `${name}: ${message}`;
  }
}

async function opened<T extends Broker>(broker: T): Promise<T> {
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until('the broker is available', () => broker.available, 5_000);
  await reader.follow('a');
  return broker;
}

/** Results of a publication in flight while the broker is closed, and of calls made after that. */
async function closedInFlight(broker: Broker): Promise<unknown[]> {
  const messageOf = (error: Error): string => error.message;
  const early = outcome(broker);
  const closing = broker.close();
  const late = [
    broker.publish('a', '2', {}).catch(messageOf),
    broker.subscribe('b').catch(messageOf),
    broker.signal('x').catch(messageOf),
  ];
  await closing;
  return Promise.all([early, ...late]);
}

const text = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));

describeWith(redisServer)('What Redis refuses', () => {
  const start = async (options: RedisBrokerOptions = {}, args: readonly string[] = []) => {
    const redis = await RedisServer.start({ args });
    return { redis, broker: await opened(new RedisBroker({ url: redis.url, ...options })) };
  };

  it('Redis: a closing broker refuses new calls and completes a publication in flight', async () => {
    const { broker } = await start();
    const closed = 'This RedisBroker is closed.';
    expect(await closedInFlight(broker)).toEqual([1, closed, closed, closed]);
  });

  it('Redis: a publication above the limit is too large, and one at the limit is not', async () => {
    const { broker } = await start({ maxPublicationBytes: 1_000 });
    expect([await outcome(broker, text(1_001)), await outcome(broker, text(1_000))]).toEqual([
      'too-large: A publication may have at most 1000 bytes; this one has 1001',
      1,
    ]);
  });

  it('Redis: a publication above proto-max-bulk-len is too large, and costs no connection', async () => {
    const args = ['--proto-max-bulk-len', '1048576'];
    const { broker } = await start({ maxPublicationBytes: 4_000_000 }, args);
    expect(await outcome(broker, text(2_000_000))).toMatch(/^too-large: .* at most 1048576 bytes/);
    expect([await outcome(broker), broker.lossesTotal]).toEqual([1, 0]);
  });

  it('Redis: without the right to ask for proto-max-bulk-len, its answer to a publication tells', async () => {
    const redis = await RedisServer.start({ args: ['--proto-max-bulk-len', '1048576'] });
    await redis.run('ACL', 'SETUSER', 'default', '-config');
    const broker = await opened(new RedisBroker({ url: redis.url, maxPublicationBytes: 4_000_000 }));
    // Redis answers and closes at once. A write that fails first hides the answer.
    const lost = 'Error: The connection to Redis was lost before its answer: the publication may be stored';
    const told = 'too-large: The publication is larger than Redis accepts';
    let attempts = 0;
    let answer: unknown;
    while (answer !== told) {
      await until('it is connected', () => broker.available, 5_000);
      attempts += 1;
      answer = await outcome(broker, text(2_000_000));
      expect([lost, told]).toContain(answer);
    }
    await until('it is connected again', () => broker.lossesTotal === attempts && broker.available, 5_000);
    // The limit is known by now: another one is not sent, and does not cost the connection.
    expect(await outcome(broker, text(2_000_000))).toMatch(/^too-large: .* at most 1999999 bytes/);
    expect([await outcome(broker), broker.lossesTotal]).toEqual([1, attempts]);
  });

  it('Redis: a full memory, missing replicas and a missing right are temporary refusals', async () => {
    const { redis, broker } = await start();
    const refused = async (): Promise<unknown> => outcome(broker);
    await redis.run('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await redis.run('CONFIG', 'SET', 'maxmemory', '1');
    expect(await refused()).toBe('refused: Redis refuses publications: its memory is full (OOM)');
    await redis.run('CONFIG', 'SET', 'maxmemory', '0');
    await redis.run('CONFIG', 'SET', 'min-replicas-to-write', '1');
    expect(await refused()).toBe('refused: Redis refuses publications: it has too few replicas (NOREPLICAS)');
    await redis.run('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await redis.run('ACL', 'SETUSER', 'default', '-evalsha');
    expect(await refused()).toBe('refused: Redis refuses publications: a permission is missing (NOPERM)');
    await redis.run('ACL', 'SETUSER', 'default', '+evalsha');
    expect(await refused()).toBeTypeOf('number');
    expect(broker.available).toBe(true);
  });

  it('Redis: a stopped server causes an error, not a refusal', async () => {
    const { redis, broker } = await start();
    await redis.stop();
    expect(await outcome(broker)).toMatch(/^Error: /);
  });
});

describeWith(natsServer)('What NATS refuses', () => {
  const start = async (options: NatsBrokerOptions = {}, config?: string) => {
    const nats = await NatsServer.start(config === undefined ? {} : { config: () => config });
    onTestFinished(() => nats.remove());
    return { nats, broker: await opened(new NatsBroker({ url: nats.url, ...options })) };
  };

  it('NATS: a closing broker refuses new calls and completes a publication in flight', async () => {
    const { broker } = await start();
    const closed = 'This NatsBroker is closed.';
    expect(await closedInFlight(broker)).toEqual([1, closed, closed, closed]);
  });

  it('NATS: a publication above max_payload is refused before it is sent, and the next one succeeds', async () => {
    const { broker } = await start({}, 'max_payload: 8KB');
    expect(await outcome(broker, text(8_000))).toMatch(
      /^too-large: A publication may have at most 7168 bytes/,
    );
    expect(await outcome(broker, text(6_500))).toBe(1);
  });

  it("NATS: a publication above the stream's max_msg_size is too large", async () => {
    const { nats, broker } = await start();
    await nats.withManager((jsm) => jsm.streams.update('LIVE', { max_msg_size: 2_000 }));
    expect(await outcome(broker, text(5_000))).toBe(
      'too-large: The publication is larger than the NATS stream accepts',
    );
    expect(await outcome(broker)).toBe(1);
  });

  it('NATS: a full stream that discards new messages, and a sealed one, refuse every publication', async () => {
    const { nats, broker } = await start();
    await nats.withManager((jsm) =>
      jsm.streams.update('LIVE', { discard: DiscardPolicy.New, max_msgs: 1, allow_rollup_hdrs: false }),
    );
    await outcome(broker);
    expect(await outcome(broker)).toMatch(/^refused: NATS refuses publications: maximum messages exceeded/);
    await nats.withManager((jsm) =>
      jsm.streams.update('LIVE', { sealed: true } as Partial<StreamUpdateConfig>),
    );
    expect(await outcome(broker)).toMatch(/^refused: NATS refuses publications: .*sealed/);
    expect(broker.available).toBe(true);
  });

  it('NATS: a missing right to publish is a refusal that names no topic', async () => {
    const deny = 'permissions: { publish: { deny: [ "live.in.>", "live.*.in.>" ] } }';
    const users = `authorization { users = [ { user: a, password: b, ${deny} }, { user: all, password: b } ] }`;
    const nats = await NatsServer.start({ config: () => users });
    onTestFinished(() => nats.remove());
    // Creates the stream and the messages that every other instance reads at its start.
    await opened(new NatsBroker({ url: nats.url.replace('//', '//all:b@') }));
    const broker = new NatsBroker({ url: nats.url.replace('//', '//a:b@') });
    onTestFinished(() => broker.close());
    broker.start(silentSink);
    await until('the broker is available', () => broker.available, 5_000);
    expect(await outcome(broker)).toBe('refused: NATS refuses publications: a permission is missing');
  });
});

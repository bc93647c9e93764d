import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker, type NatsBrokerOptions } from '../../src/brokers/nats/index.js';
import type { Clock } from '../../src/core/ports/clock.js';
import { SystemClock } from '../../src/clock/system-clock.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer } from '../support/programs.js';
import { BrokerReader } from './support/broker-reader.js';
import { sleep, until } from './support/waiting.js';

const nats = describeWith(natsServer);
const history = { size: 1_000, ttlMs: 60_000, maxBytes: 10_000_000 };
const limits = { count: 1_000, bytes: 10_000_000 };

async function startServer(config?: () => string): Promise<NatsServer> {
  const server = await NatsServer.start(config && { config });
  onTestFinished(() => server.remove());
  return server;
}

async function open(options: NatsBrokerOptions, clock?: Clock) {
  const said: string[] = [];
  const notices: string[] = [];
  const broker = new NatsBroker(
    {
      ...options,
      onNotice: (message) => notices.push(message),
      onError: (doing, error) => said.push(`${doing}: ${String((error as Error).message)}`),
    },
    clock,
  );
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until('it is available or has reported an error', () => broker.available || said.length > 0, 5_000);
  return { broker, reader, said, notices };
}

nats('Settings of the NATS operator', () => {
  it("the broker keeps the operator's stream settings unless an option differs, and reports what it changes", async () => {
    const server = await startServer();
    await (await open({ url: server.url })).broker.close();
    const theirs = { max_bytes: 5_000_000, max_msgs_per_subject: 2_000, max_age: 86_400_000_000_000 };
    const config = () => server.withManager(async (jsm) => (await jsm.streams.info('LIVE')).config);
    await server.withManager((jsm) => jsm.streams.update('LIVE', theirs));
    const one = await open({ url: server.url });
    await one.broker.publish('t', '1', { history });
    expect([await config(), one.notices, one.said]).toMatchObject([theirs, [], []]);
    const two = await open({ url: server.url, stream: { maxBytes: 6_000_000 } });
    expect(await config()).toMatchObject({ ...theirs, max_bytes: 6_000_000 });
    expect(two.notices).toEqual([
      'The stream "LIVE" was changed according to the options: max_bytes 5000000 -> 6000000.',
    ]);
    await server.withManager((jsm) => jsm.streams.update('LIVE', { max_msgs_per_subject: 10 }));
    const three = await open({ url: server.url });
    expect(three.said[0]).toMatch(/keeps 10 messages per subject, but at least 64 are required/);
    const four = await open({ url: server.url, stream: { storage: 'memory' } });
    expect(four.said[0]).toMatch(/is in file storage, which cannot be changed/);
  });

  it('two applications are separated by the stream name alone, including signals', async () => {
    const server = await startServer();
    const worlds = [await open({ url: server.url, stream: { name: 'A' } }), await open({ url: server.url })];
    const signals: string[] = [];
    for (const [i, { reader }] of worlds.entries()) {
      reader.signal = (text?: string) => void signals.push(`${String(i)} ${String(text)}`);
      await reader.follow('t');
    }
    for (const [i, { broker }] of worlds.entries()) {
      await broker.publish('t', String(i), { history });
      await broker.signal(`from ${String(i)}`);
    }
    for (const [i, { reader, said }] of worlds.entries()) {
      await reader.caughtUp();
      expect([[...(reader.readings.get('t')?.taken.values() ?? [])], said]).toEqual([[String(i)], []]);
    }
    await until('both signals came', () => signals.length > 1, 2_000);
    await sleep(100);
    expect(signals.toSorted()).toEqual(['0 from 0', '1 from 1']);
  });

  it('a server older than 2.9.21 with several replicas is refused with a clear message', async () => {
    const server = await startServer();
    const { broker, said } = await open({ url: server.url, stream: { replicas: 3 } });
    expect([broker.available, said[0]]).toEqual([
      false,
      expect.stringMatching(
        /nats-server [\d.]+ loses acknowledged publications where a stream has 3 copies.*Use 2\.9\.21/,
      ),
    ]);
  });

  it('batches and snapshot messages are cut to a small max_payload', async () => {
    const server = await startServer(() => 'max_payload: 8192');
    const options = { url: server.url, stream: { messagesPerTopic: 64 } };
    const { broker, said } = await open(options);
    const data = JSON.stringify('x'.repeat(498));
    const many = await Promise.allSettled(
      Array.from({ length: 60 }, () => broker.publish('t', data, { history })),
    );
    expect(many.filter(({ status }) => status === 'rejected')).toEqual([]);
    for (let n = 0; n < 300; n++)
      await broker.publish('keys', data, { history, key: `k${String(n % 100)}`, latest: 'last-per-key' });
    for (const instance of [broker, (await open(options)).broker])
      expect((await instance.latest('keys')).publications).toHaveLength(100);
    expect(said).toEqual([]);
  }, 30_000);

  it('a stream without direct reads is read through its leader', async () => {
    const server = await startServer();
    await (await open({ url: server.url })).broker.close();
    await server.withManager((jsm) => jsm.streams.update('LIVE', { allow_direct: false }));
    const { broker, said } = await open({ url: server.url });
    const { epoch } = (await broker.tops(['t'])).get('t') ?? { epoch: '' };
    for (let n = 1; n <= 5; n++) await broker.publish('t', String(n), { history });
    const { broker: other } = await open({ url: server.url });
    const { missed } = await other.read('t', { epoch, offset: 2 }, limits);
    expect([missed?.map(({ data }) => data), said]).toEqual([['3', '4', '5'], []]);
  });

  it("message ages follow the server's clock, and a clock skew is reported once", async () => {
    const server = await startServer();
    const real = new SystemClock();
    const ahead: Clock = {
      now: () => real.now(),
      wallMs: () => real.wallMs() + 7_200_000,
      after: (ms, run) => real.after(ms, run),
      soon: (run) => real.soon(run),
      random: () => real.random(),
    };
    const { broker, said } = await open({ url: server.url, probeIntervalMs: 100 }, ahead);
    const first = await broker.publish('t', '1', { history });
    for (let n = 2; n <= 5; n++) {
      await broker.publish('t', String(n), { history });
      await sleep(150);
    }
    expect((await broker.read('t', first, limits)).missed).toHaveLength(4);
    expect(said).toEqual([
      expect.stringMatching(/^comparing clocks: The clock of the NATS server differs by -7\d{3} s/),
    ]);
  });
});

nats('Errors that NATS reports by itself', () => {
  it('[L-5.11] a revoked right makes the instance unavailable, and nothing is missed once it is restored', async () => {
    let subscribe = '">"';
    const server = await startServer(
      () => `authorization { users = [
        { user: all, password: p }
        { user: some, password: p, permissions: { publish: ">", subscribe: { allow: [ ${subscribe} ] } } }
      ] }`,
    );
    const as = (user: string): string => server.url.replace('//', `//${user}:p@`);
    const [writing, reading] = [await open({ url: as('all') }), await open({ url: as('some') })];
    await reading.reader.follow('t');
    await writing.broker.publish('t', '1', { history });
    await reading.reader.caughtUp();
    subscribe = '"_INBOX.>", "live.signal", "live.turn", "live.out.%life"';
    server.reload();
    await until('it says so', () => !reading.broker.available, 3_000);
    await writing.broker.publish('t', '2', { history });
    await sleep(500);
    expect([reading.broker.available, reading.said.join()]).toEqual([
      false,
      expect.stringMatching(/live\.out\.t/),
    ]);
    subscribe = '">"';
    server.reload();
    await until('it is back', () => reading.broker.available, 5_000);
    await reading.reader.caughtUp();
    await writing.broker.publish('t', '3', { history });
    await reading.reader.caughtUp();
    const { taken, reported } = reading.reader.readings.get('t') ?? {};
    expect([[...(taken?.values() ?? [])], reported]).toEqual([['1', '2', '3'], []]);
  }, 30_000);

  it('a subscription beyond max_subscriptions is refused, and all answered ones get their publications', async () => {
    const server = await startServer(() => 'max_subscriptions: 12');
    const { broker, reader } = await open({ url: server.url });
    const topics = Array.from({ length: 14 }, (_, i) => `t${String(i)}`);
    const inForce: string[] = [];
    for (const topic of topics) {
      const answered = await reader.follow(topic).then(
        () => true,
        () => false,
      );
      if (answered) inForce.push(topic);
    }
    expect(inForce.length).toBeGreaterThan(4);
    expect(inForce.length).toBeLessThan(12);
    for (const topic of topics) await broker.publish(topic, '1', {});
    await until(
      'all of them came',
      () => inForce.every((topic) => reader.readings.get(topic)?.taken.size === 1),
      3_000,
    );
    expect([broker.available, broker.lossesTotal]).toEqual([true, 0]);
  });

  it('[L-4.5] the broker leaves a NATS server in lame duck mode, and nothing is missed', async () => {
    const server = await startServer();
    const { broker, reader } = await open({ url: server.url });
    await reader.follow('t');
    await broker.publish('t', '1', { history });
    server.signal('SIGUSR2');
    await until('it is away', () => !broker.available, 3_000);
    // The server would wait for ten seconds.
    await server.stop('SIGKILL');
    await server.start();
    await until('it is back', () => broker.available, 5_000);
    await broker.publish('t', '2', { history });
    await reader.caughtUp();
    const { taken, reported } = reader.readings.get('t') ?? {};
    expect([[...(taken?.values() ?? [])], reported]).toEqual([['1', '2'], []]);
  }, 20_000);
});

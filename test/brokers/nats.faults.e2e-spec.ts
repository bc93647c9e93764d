import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker } from '../../src/brokers/nats/index.js';
import type { BrokerSink } from '../../src/core/ports/broker.js';
import { CutProxy } from '../support/cut-proxy.js';
import { NatsServer, type NatsServerOptions } from '../support/nats-server.js';
import { describeWith, natsServer } from '../support/programs.js';
import { BrokerReader, judge } from './support/broker-reader.js';
import { SteadyPublisher } from './support/steady-publisher.js';
import { sleep, until } from './support/waiting.js';

const nats = describeWith(natsServer);
const topics = ['a', 'b', 'c', 'd', 'e'];
const stream = { messagesPerTopic: 20_000 };

async function startServer(options?: NatsServerOptions): Promise<NatsServer> {
  const server = await NatsServer.start(options);
  onTestFinished(() => server.remove());
  return server;
}

function open(url: string): NatsBroker {
  const broker = new NatsBroker({ url, stream });
  onTestFinished(() => broker.close());
  return broker;
}

const deaf: BrokerSink = { publication() {}, suspect() {}, availability() {}, signal() {} };

/** A server, a publisher and a reader on separate brokers. The reader connects to `through`. */
async function world(server: NatsServer, through = server.url) {
  const [sending, reading] = [open(server.url), open(through)];
  const reader = new BrokerReader(reading);
  sending.start(deaf);
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
  const bothBack = (): Promise<void> =>
    until('both are back', () => sending.available && reading.available, 5_000);
  const bothAway = (): Promise<void> =>
    until('both say so', () => !sending.available && !reading.available, 5_000);
  return { sending, reading, reader, publisher, verdict, bothBack, bothAway };
}

/** A URL through which everything sent to the server is delayed by 50 ms. */
async function slowed(port: number): Promise<string> {
  const proxy = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.on('data', (bytes) => setTimeout(() => upstream.write(bytes), 50));
    upstream.pipe(client);
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => void [client, upstream].map((each) => each.destroy()));
    }
  });
  await new Promise<void>((listening) => {
    proxy.listen(0, '127.0.0.1', listening);
  });
  onTestFinished(() => void proxy.close());
  return `nats://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
}

nats('A NATS that fails', () => {
  it('the checker finds a silent loss of a NATS reader that ignores suspicion', async () => {
    const server = await startServer();
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
    proxy.cut();
    const enough = publisher.acknowledged.length + 100;
    await until('enough is published', () => publisher.acknowledged.length >= enough, 5_000);
    proxy.heal();
    await until('the reader is back', () => reading.available, 5_000);
    await sleep(300);
    await publisher.stop();
    expect(judge(publisher.acknowledged, reader).silent).toBeGreaterThanOrEqual(50);
  });

  it('[L-4.5] a frozen NATS server is reported away within 5 s, delays no call, and recovers by itself', async () => {
    const server = await startServer();
    const { sending, reading, reader, publisher, verdict, bothAway, bothBack } = await world(server);
    const heapBefore = process.memoryUsage().heapUsed;
    server.freeze();
    const frozenMs = performance.now();
    await bothAway();
    const startMs = performance.now();
    await expect(sending.publish('a', '1', {})).rejects.toThrow('away');
    await expect(reading.subscribe('other')).rejects.toThrow('away');
    expect(performance.now() - startMs).toBeLessThan(100);
    await sleep(10_000 - (performance.now() - frozenMs));
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(100_000_000);
    server.thaw();
    await bothBack();
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect(reader.availabilities).toEqual([true, false, true]);
    expect(publisher.refused).toBeGreaterThan(100);
  }, 40_000);

  it('[L-4.2] topics continue where they were when NATS is killed and returns with its store', async () => {
    const server = await startServer();
    const { reader, verdict, bothBack, bothAway } = await world(server);
    for (let i = 0; i < 3; i++) {
      await server.stop('SIGKILL');
      await bothAway();
      await sleep(200);
      await server.start();
      await bothBack();
      await sleep(300);
    }
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect(reader.suspects).toBeGreaterThanOrEqual(3);
  }, 40_000);

  it('[L-4.2] topics start new epochs when NATS returns without its store, and every loss is reported', async () => {
    const server = await startServer();
    const { reader, verdict, bothAway, bothBack } = await world(server);
    const before = new Map([...reader.readings].map(([topic, { position }]) => [topic, position.epoch]));
    await server.stop('SIGKILL');
    await bothAway();
    server.forget();
    await server.start();
    await bothBack();
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, disorder: 0 });
    for (const [topic, { position, reported }] of reader.readings) {
      expect([position.epoch === before.get(topic), reported.length > 0]).toEqual([false, true]);
    }
  }, 40_000);

  it('[L-4.2] topics start new epochs when NATS returns with an old copy of its store', async () => {
    const server = await startServer();
    const { reader, publisher, verdict, bothAway, bothBack } = await world(server);
    await server.stop();
    await bothAway();
    server.backUp();
    await server.start();
    await bothBack();
    const { length } = publisher.acknowledged;
    await until('more is published', () => publisher.acknowledged.length > length + 200, 5_000);
    await server.stop('SIGKILL');
    await bothAway();
    server.restore();
    await server.start();
    await bothBack();
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, disorder: 0 });
    for (const { reported } of reader.readings.values()) expect(reported.length).toBeGreaterThan(0);
  }, 40_000);

  it('[L-4.2] topics start new epochs when the stream is purged or deleted while in use', async () => {
    const server = await startServer();
    const { reader, verdict } = await world(server);
    for (const way of ['purge', 'delete', 'purge'] as const) {
      await server.withManager(async (jsm) => void (await jsm.streams[way]('LIVE')));
      // Longer than a server may take to remove a stream before it is created again.
      await sleep(2_000);
    }
    expect(await verdict()).toMatchObject({ silent: 0, disorder: 0 });
    for (const { reported } of reader.readings.values()) expect(reported.length).toBeGreaterThan(0);
  }, 40_000);

  it('[L-4.2] a reader learns that the stream was deleted although nobody publishes', async () => {
    const server = await startServer();
    const broker = open(server.url);
    const reader = new BrokerReader(broker);
    await until('it is available', () => broker.available, 5_000);
    await broker.publish('t', '1', {});
    await reader.follow('t');
    const before = reader.readings.get('t')?.position.epoch;
    await server.withManager((jsm) => jsm.streams.delete('LIVE'));
    await until('it is suspected', () => reader.suspects > 0, 5_000);
    await reader.caughtUp();
    expect(reader.readings.get('t')?.position).toMatchObject({ offset: 0 });
    expect(reader.readings.get('t')?.position.epoch).not.toBe(before);
    expect(broker.lossesTotal).toBe(0);
  });

  it('a subscription is active once subscribe has resolved, even on a slow network', async () => {
    const server = await startServer();
    const [fast, slow] = [open(server.url), open(await slowed(server.port))];
    const seen: number[] = [];
    slow.start({ ...deaf, publication: (_topic, _epoch, { offset }) => void seen.push(offset) });
    fast.start(deaf);
    await until('both are available', () => fast.available && slow.available, 5_000);
    await fast.publish('t', '1', {});
    await slow.subscribe('t');
    await fast.publish('t', '2', {});
    await until('it has come', () => seen.length > 0, 2_000);
    expect(seen).toEqual([2]);
  });

  it('[L-4.5] nothing is lost when the connection to NATS is cut repeatedly', async () => {
    const server = await startServer();
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

  it('positions stay consecutive while several instances publish to a topic at full speed', async () => {
    const server = await startServer();
    const { reader, verdict, publisher } = await world(server);
    const others = [open(server.url), open(server.url)].map((broker) => {
      broker.start(deaf);
      return new SteadyPublisher(broker, topics);
    });
    await sleep(2_000);
    for (const other of others) await other.stop();
    for (const other of others) publisher.acknowledged.push(...other.acknowledged);
    const result = await verdict();
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
    expect(others.map(({ acknowledged }) => acknowledged.length > 500)).toEqual([true, true]);
    expect(
      new Set(publisher.acknowledged.map(({ topic, offset }) => `${topic} ${String(offset)}`)).size,
    ).toBe(result.acknowledged);
    expect([...reader.readings.values()].map(({ disorder }) => disorder)).toEqual([0, 0, 0, 0, 0]);
  });

  it('the broker waits for NATS at the start, and its errors name no user or password', async () => {
    const server = await startServer({
      config: () => 'authorization { users = [ { user: ann, password: right } ] }',
    });
    await server.stop();
    const said: string[] = [];
    const openAs = (who: string): NatsBroker => {
      const broker = new NatsBroker({
        url: server.url.replace('//', `//${who}@`),
        onError: (doing, error) => said.push(`${doing}: ${String((error as Error).stack)}`),
      });
      onTestFinished(() => broker.close());
      broker.start(deaf);
      return broker;
    };
    const [ann, stranger] = [openAs('ann:right'), openAs('ann:canary')];
    await expect(ann.publish('t', '1', {})).rejects.toThrow('away');
    await server.start();
    await until('it is there', () => ann.available, 5_000);
    expect((await ann.publish('t', '1', {})).offset).toBe(1);
    await sleep(500);
    expect(stranger.available).toBe(false);
    expect(said.join('\n')).toContain('connecting to NATS: ');
    expect(said.join('\n')).toMatch(/authorization violation/i);
    expect(said.join('\n')).not.toMatch(/canary|right/);
  });
});

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker } from '../../src/brokers/nats/index.js';
import type { Published } from '../../src/core/ports/broker.js';
import type { Position } from '../../src/protocol/position.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer } from '../support/programs.js';
import { BrokerReader } from './support/broker-reader.js';
import { sleep, until } from './support/waiting.js';

const nats = describeWith(natsServer);
const history = { size: 1_000, ttlMs: 600_000, maxBytes: 10_000_000 };
const limits = { count: 1_000, bytes: 10_000_000 };
const topic = 'fleet/7';

async function startServer(): Promise<NatsServer> {
  const server = await NatsServer.start();
  onTestFinished(() => server.remove());
  return server;
}

/** An instance with a subscriber that is connected all the time. */
async function open(url: string) {
  const broker = new NatsBroker({ url });
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until('it is available', () => broker.available, 5_000);
  await reader.follow(topic);
  const publish = async (from: number, to: number, life: string): Promise<Published> => {
    let last: Published | undefined;
    for (let n = from; n <= to; n++)
      last = await broker.publish(topic, JSON.stringify(`${life} ${String(n)}`), {
        history,
        key: `k${String(n % 3)}`,
        latest: 'last-per-key',
      });
    if (last === undefined) throw new Error('Nothing was published');
    return last;
  };
  const missed = async (since: Position): Promise<string[] | undefined> => {
    const reading = await broker.read(topic, since, limits);
    return reading.missed?.map(({ data }) => JSON.parse(data) as string);
  };
  const reading = () => {
    const found = reader.readings.get(topic);
    if (found === undefined) throw new Error('It is not read');
    return found;
  };
  return { broker, reader, publish, missed, reading };
}

type Instance = Awaited<ReturnType<typeof open>>;

/** Runs `run`, and waits until each instance has noticed the outage and is back. */
async function outage(instances: readonly Instance[], run: () => Promise<void>): Promise<void> {
  const before = instances.map(({ broker }) => broker.lossesTotal);
  const wereAway = (): boolean => instances.every(({ broker }, i) => broker.lossesTotal > (before[i] ?? 0));
  await run();
  await until('all were away', wereAway, 10_000);
  await until('all are back', () => instances.every(({ broker }) => broker.available), 10_000);
}

/** Every reader got the same data for each position of each epoch. */
function sameForAll(instances: readonly Instance[]): void {
  const given = new Map<string, string>();
  for (const instance of instances)
    for (const [position, data] of instance.reading().taken) {
      expect(given.get(position) ?? data, position).toBe(data);
      given.set(position, data);
    }
}

const texts = (life: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${life} ${String(from + i)}`);

nats('A NATS store that comes back', () => {
  it('[L-4.2] every position continues exactly after a clean restart of NATS', async () => {
    const server = await startServer();
    const instances = [await open(server.url), await open(server.url)] as const;
    const [one, two] = instances;
    const start = await one.broker.read('untouched', undefined, limits);
    const first = await one.publish(1, 5, 'first');
    for (let life = 1; life <= 10; life++) {
      await outage(instances, async () => {
        await server.stop();
        await server.start();
      });
      // Only sometimes, so that a topic may be idle for several lives of the store.
      if (life % 3 === 0) await two.publish(5 + life / 3, 5 + life / 3, 'later');
      await sleep(100);
    }
    for (const instance of instances) {
      await instance.reader.caughtUp();
      expect([instance.reading().reported, instance.reading().disorder]).toEqual([[], 0]);
      expect(await instance.missed({ ...first, offset: 4 })).toEqual(['first 5', ...texts('later', 6, 8)]);
      expect(await instance.missed({ ...first, offset: 6 })).toBeUndefined();
      expect((await instance.broker.read('untouched', start.top, limits)).missed).toEqual([]);
      expect((await instance.broker.latest(topic)).publications).toHaveLength(3);
    }
    sameForAll(instances);
  }, 90_000);

  for (const overtaken of [false, true]) {
    const how = overtaken ? ' and has grown again before the other instance notices' : '';
    it(`[L-4.2] a NATS store that lost its end${how} gives no offset twice, and reports what was lost`, async () => {
      const server = await startServer();
      const instances = [await open(server.url), await open(server.url)] as const;
      const [one, two] = instances;
      const first = await one.publish(1, 5, 'first');
      await outage(instances, async () => {
        await server.stop();
        server.backUp();
        await server.start();
      });
      const lost = await one.publish(6, 10, 'first');
      for (const { reader } of instances) await reader.caughtUp();
      // Fills the cache of this instance.
      expect(await one.missed({ ...first, offset: 5 })).toEqual(texts('first', 6, 10));
      await outage(instances, async () => {
        await server.stop('SIGKILL');
        server.restore();
        await server.start();
      });
      const second = overtaken ? await two.publish(6, 13, 'second') : await two.publish(6, 8, 'second');
      const { top } = await one.broker.read(topic, undefined, limits);
      expect([top, second.epoch === lost.epoch]).toEqual([
        { epoch: second.epoch, offset: second.offset },
        false,
      ]);
      for (const instance of instances) {
        expect(await instance.missed(lost)).toBeUndefined();
        expect(await instance.missed({ epoch: lost.epoch, offset: 6 })).toBeUndefined();
        // A reader within what the store still has continues with what is there now.
        const since = { epoch: first.epoch, offset: 3 };
        expect(await instance.missed(since)).toEqual([
          ...texts('first', 4, 5),
          ...texts('second', 6, second.offset),
        ]);
        await instance.reader.caughtUp();
        expect([instance.reading().reported.length, instance.reading().disorder]).toEqual([1, 0]);
      }
      sameForAll(instances);
    }, 60_000);
  }

  it('[L-4.2] an instance that was suspended while the store went back informs its subscribers when it resumes', async () => {
    const server = await startServer();
    const running = await open(server.url);
    const still = await standing(server.url);
    await running.publish(1, 5, 'first');
    await outage([running], async () => {
      await server.stop();
      server.backUp();
      await server.start();
    });
    await running.publish(6, 10, 'first');
    await until('the other one has it', async () => (await still.state()).position.offset === 10, 5_000);
    still.child.kill('SIGSTOP');
    const losses = running.broker.lossesTotal;
    await server.stop('SIGKILL');
    server.restore();
    await server.start();
    await until('the loss is noticed', () => running.broker.lossesTotal > losses, 5_000);
    await until('it is back', () => running.broker.available, 5_000);
    const second = await running.publish(6, 13, 'second');
    still.child.kill('SIGCONT');
    await until(
      'it has caught up',
      async () => (await still.state()).position.epoch === second.epoch,
      10_000,
    );
    const { reported, taken } = await still.state();
    expect(reported).toBe(1);
    for (const [position, data] of running.reading().taken)
      expect(taken[position] ?? data, position).toBe(data);
  }, 60_000);
});

interface Standing {
  readonly position: Position;
  readonly reported: number;
  readonly taken: Readonly<Record<string, string>>;
}

/** An instance in its own process, which can be suspended. */
async function standing(url: string) {
  const child: ChildProcess = fork(join(import.meta.dirname, 'support/standing-instance.mjs'), [url, topic]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const answers: Standing[] = [];
  child.on('message', (message) => answers.push(message as Standing));
  await until('it reads', () => answers.length > 0, 20_000);
  const state = async (): Promise<Standing> => {
    const { length } = answers;
    child.send('state');
    await until('it answers', () => answers.length > length, 10_000);
    return answers.at(-1) as Standing;
  };
  return { child, state };
}

import { expect, it } from 'vitest';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { LiveTopic } from '../../src/index.js';
import { LiveTestClient, type Received } from '../../src/testing/index.js';
import { startLiveApp } from '../support/live-app.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { sleep, until } from './support/waiting.js';

@LiveTopic('news/*', { history: { size: 10_000 } })
class News {
  canSubscribe(): boolean {
    return true;
  }

  snapshot(): string {
    return 'the state';
  }
}

/** An application with a broker on this Redis. */
async function instance(server: RedisServer) {
  const broker = new RedisBroker({ url: server.url });
  const { live, url } = await startLiveApp({ options: { broker }, providers: [News] });
  await until('the broker is available', () => broker.available, 5_000);
  return { broker, live, url };
}

type Instance = Awaited<ReturnType<typeof instance>>;

const topics = ['news/1', 'news/2', 'news/3'];

async function readers({ url }: Instance, count: number): Promise<LiveTestClient[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await LiveTestClient.connect(url, { token: 'ann' });
      for (const [id, topic] of topics.entries()) await client.request({ type: 'subscribe', id, topic });
      return client;
    }),
  );
}

/** Publishes about 300 a second until stopped. Returns the accepted publications of each topic. */
function publishing({ live }: Instance) {
  const accepted = new Map<string, string[]>();
  const state = { on: true };
  const open: Promise<void>[] = [];
  const run = (async () => {
    for (let n = 0; state.on; n++) {
      const topic = topics[n % topics.length] ?? '';
      const keep = ({ epoch, offset }: { epoch: string; offset: number }) =>
        void accepted.set(topic, [...(accepted.get(topic) ?? []), `${epoch} ${String(offset)} ${String(n)}`]);
      open.push(live.publish(topic, n).then(keep, () => {}));
      await sleep(3);
    }
  })();
  return async () => {
    state.on = false;
    await run;
    await Promise.all(open);
    return accepted;
  };
}

/**
 * The epoch, offset and data of each event of a topic. Throws if an offset does not follow the
 * last.
 */
function heldBy(client: LiveTestClient, topic: string): string[] {
  let position: Received | undefined;
  const held: string[] = [];
  for (const message of client.transcript.filter((each) => each['topic'] === topic)) {
    if (message.type === 'subscribed') position = message;
    else if (message.type === 'lost') position = { ...(position as Received), offset: message['to'] };
    else if (message.type === 'event' && position !== undefined) {
      if (message['offset'] !== Number(position['offset']) + 1)
        throw new Error(`${String(message['offset'])} follows ${String(position['offset'])}`);
      position = { ...position, offset: message['offset'] };
      held.push(`${String(position['epoch'])} ${String(message['offset'])} ${String(message['data'])}`);
    }
  }
  return held;
}

const pushed = (client: LiveTestClient, type: string): Received[] =>
  client.transcript.filter((message) => message.type === type && !('id' in message));

async function caughtUp(clients: readonly LiveTestClient[], accepted: Map<string, string[]>): Promise<void> {
  const last = topics.map((topic) => [topic, accepted.get(topic)?.at(-1) ?? ''] as const);
  await until(
    'every client has the last of each topic',
    () => clients.every((client) => last.every(([topic, each]) => heldBy(client, topic).at(-1) === each)),
    5_000,
  );
}

describeWith(redisServer)('Two instances on one Redis', () => {
  it('[L-5.10] every client gets every publication once and in order while connections to Redis are killed', async () => {
    const server = await RedisServer.start();
    const [one, two] = [await instance(server), await instance(server)];
    const clients = [...(await readers(one, 5)), ...(await readers(two, 5))];
    const stop = publishing(one);
    for (let i = 0; i < 4; i++) {
      await sleep(300);
      await server.run('CLIENT', 'KILL', 'TYPE', i % 2 === 0 ? 'pubsub' : 'normal');
    }
    await sleep(500);
    const accepted = await stop();
    await caughtUp(clients, accepted);
    for (const topic of topics) {
      const [held = [], ...others] = clients.map((client) => heldBy(client, topic));
      for (const other of others) expect(other).toEqual(held);
      // A publication whose answer was cut off may exist, although nobody knows that it was
      // accepted.
      expect((accepted.get(topic) ?? []).filter((each) => !held.includes(each))).toEqual([]);
    }
    expect(clients.flatMap((client) => pushed(client, 'lost'))).toEqual([]);
    expect([...accepted.values()].flat().length).toBeGreaterThan(60);
    expect([one, two].map(({ broker }) => broker.lossesTotal > 0)).toEqual([true, true]);
  });

  it('[L-5.7] every client gets a fresh start when Redis returns without its data', async () => {
    const server = await RedisServer.start();
    const [one, two] = [await instance(server), await instance(server)];
    const clients = [...(await readers(one, 3)), ...(await readers(two, 3))];
    const stop = publishing(one);
    await sleep(300);
    await server.stop('SIGKILL');
    await until('it is away', () => !one.broker.available && !two.broker.available, 5_000);
    const [client] = clients;
    expect(await client?.request({ type: 'subscribe', id: 'x', topic: 'news/9' })).toMatchObject({
      type: 'error',
      code: 'unavailable',
    });
    await server.start();
    await until('it is back', () => one.broker.available && two.broker.available, 3_000);
    await sleep(500);
    const accepted = await stop();
    await caughtUp(clients, accepted);
    for (const each of clients) {
      const starts = pushed(each, 'subscribed');
      expect(starts.map(({ topic }) => topic).toSorted()).toEqual(topics);
      for (const { snapshot, recovered } of starts)
        expect([snapshot, recovered]).toEqual(['the state', false]);
    }
  });

  it('[L-5.2] a client continues on another instance where it stopped on the first', async () => {
    const server = await RedisServer.start();
    const [one, two] = [await instance(server), await instance(server)];
    const client = await LiveTestClient.connect(one.url, { token: 'ann' });
    const { epoch, offset } = await client.request({ type: 'subscribe', id: 1, topic: 'news/1' });
    await client.close();
    for (let n = 1; n <= 50; n++) await one.live.publish('news/1', n);
    const next = await LiveTestClient.connect(two.url, { token: 'ann' });
    const since = { epoch, offset };
    const answer = await next.request({ type: 'subscribe', id: 1, topic: 'news/1', since });
    expect(answer).toMatchObject({ epoch, offset, recovered: true });
    await next.settle();
    expect(heldBy(next, 'news/1')).toHaveLength(50);
    await next.close();
  });
});

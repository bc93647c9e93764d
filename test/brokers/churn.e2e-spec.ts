import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker } from '../../src/brokers/nats/index.js';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { startLiveApp } from '../support/live-app.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { sleep, until } from './support/waiting.js';

const clients = 50;
const perClient = 200;
const topics = 1_000;

/** Clients subscribe to a topic and leave it, 10,000 times in about a second. */
async function churn(broker: RedisBroker | NatsBroker) {
  const { live, url } = await startLiveApp({ options: { broker, dangerouslyUnlimitedInbound: true } });
  await until('the broker is available', () => broker.available, 5_000);
  const all = await Promise.all(
    Array.from({ length: clients }, () => LiveTestClient.connect(url, { token: 'ann', timeoutMs: 30_000 })),
  );
  const startMs = performance.now();
  let most = 0;
  for (let turn = 0; turn < perClient; turn++) {
    for (const [place, client] of all.entries()) {
      const topic = `open/${String((turn * clients + place) % topics)}`;
      client.send({ type: 'subscribe', topic });
      // Half of them leave before they are answered.
      if (turn % 2 === 0) client.send({ type: 'unsubscribe', topic });
      else setTimeout(() => client.send({ type: 'unsubscribe', topic }), 20);
    }
    most = Math.max(most, broker.subscribedTopics);
    await sleep(4);
  }
  await sleep(20);
  await Promise.all(all.map((client) => client.settle()));
  const ms = Math.round(performance.now() - startMs);
  const { transcript } = all[0] as LiveTestClient;
  const left = transcript.filter(({ type }) => type === 'unsubscribed').length;
  expect(left).toBe(perClient);
  await until('nothing lingers', () => broker.subscribedTopics === 0, 6_000);
  await Promise.all(all.map((client) => client.close()));
  await until('all have gone', () => live.stats().connections === 0, 5_000);
  const { connections, users, topics: read, subscriptions, queuedBytes, healing, restarting } = live.stats();
  expect({ connections, users, read, subscriptions, queuedBytes, healing, restarting }).toEqual({
    connections: 0,
    users: 0,
    read: 0,
    subscriptions: 0,
    queuedBytes: 0,
    healing: 0,
    restarting: 0,
  });
  expect([broker.lossesTotal, broker.junkTotal]).toEqual([0, 0]);
  return { pairs: clients * perClient, ms, maxTopics: most };
}

describeWith(redisServer)('10,000 subscribes and unsubscribes in a second, of an instance on Redis', () => {
  it('[L-3.6] 10,000 subscribes and unsubscribes in a second on Redis cost a few commands and leave nothing behind', async () => {
    const server = await RedisServer.start();
    await server.run('CONFIG', 'RESETSTAT');
    const figures = await churn(new RedisBroker({ url: server.url }));
    const counts = await server.commandCounts();
    const [joined = 0, left = 0] = [counts.get('subscribe'), counts.get('unsubscribe')];
    console.info(`Redis: ${JSON.stringify({ ...figures, subscribe: joined, unsubscribe: left })}`);
    expect(joined + left).toBeLessThan(150);
    expect(await server.run('PUBSUB', 'CHANNELS', 'live:{*')).toEqual([]);
  }, 60_000);
});

describeWith(natsServer)('10,000 subscribes and unsubscribes in a second, of an instance on NATS', () => {
  it('[L-3.6] 10,000 subscribes and unsubscribes in a second on NATS hold no more subscriptions than topics', async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    const figures = await churn(new NatsBroker({ url: server.url }));
    console.info(`NATS: ${JSON.stringify(figures)}`);
    expect(figures.maxTopics).toBeLessThanOrEqual(topics);
  }, 60_000);
});

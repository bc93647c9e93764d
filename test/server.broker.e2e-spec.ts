import { expect, it, onTestFinished, vi } from 'vitest';
import { LiveTestClient } from '../src/testing/index.js';
import { until } from './brokers/support/waiting.js';
import { NatsServer } from './support/nats-server.js';
import { describeWith, natsServer, redisServer } from './support/programs.js';
import { RedisServer } from './support/redis-server.js';
import {
  listening,
  pageCookie,
  spawnServer,
  startServer,
  type RunningServer,
} from './support/spawned-server.js';

const key = 'a-key-of-this-test';
const secret = { LIVE_PUBLISH_KEY: key, LIVE_DEMO: 'false' };

async function publish({ http }: RunningServer, data: unknown): Promise<Response> {
  return fetch(`${http}/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'chat/1', data }),
  });
}

const statusOf = async ({ http }: RunningServer, which: 'live' | 'ready'): Promise<number> =>
  (await fetch(`${http}/health/${which}`)).status;

async function readyWithin(running: RunningServer, ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  while ((await statusOf(running, 'ready')) !== 200) {
    if (performance.now() > endMs) throw new Error(`Not ready within ${String(ms)} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** A publication at one server reaches a client of the other. */
async function areOne(url: string): Promise<void> {
  const [one, two] = await Promise.all([
    startServer({ ...secret, LIVE_BROKER_URL: url }),
    startServer({ ...secret, LIVE_BROKER_URL: url }),
  ]);
  await readyWithin(one, 5_000);
  await readyWithin(two, 5_000);
  const client = await LiveTestClient.connect(one.sockets, {
    headers: { cookie: await pageCookie(one.http), origin: one.http },
  });
  await client.request({ type: 'subscribe', id: 1, topic: 'chat/1' });
  const answer = await publish(two, { text: 'hello' });
  expect(answer.status).toBe(202);
  expect(await client.nextOf('event')).toMatchObject({ topic: 'chat/1', data: { text: 'hello' } });
  void client.close();
}

describeWith(redisServer)('The server with LIVE_BROKER_URL', () => {
  it('[S17] servers with the same LIVE_BROKER_URL on Redis form one live server', async () => {
    await areOne((await RedisServer.start()).url);
  });

  it('[S17] a server publishes its own vitals and demo to its own clients only', async () => {
    const redis = await RedisServer.start();
    const settings = { ...secret, LIVE_DEMO: 'true', LIVE_BROKER_URL: redis.url };
    const servers = await Promise.all([startServer(settings), startServer(settings)]);
    await Promise.all(servers.map((server) => readyWithin(server, 5_000)));
    const connectTo = async ({ http, sockets }: RunningServer) =>
      LiveTestClient.connect(sockets, { headers: { cookie: await pageCookie(http), origin: http } });
    const [one, two] = await Promise.all(servers.map(connectTo));
    if (one === undefined || two === undefined) throw new Error('There are no clients');
    for (let others = 0; others < 2; others++) await connectTo(servers[1] as RunningServer);
    for (const client of [one, two])
      for (const [id, topic] of ['system/vitals', 'fleet/demo'].entries())
        expect(await client.request({ type: 'subscribe', id, topic })).toMatchObject({ type: 'subscribed' });
    const startMs = performance.now();
    const eventsOf = ({ transcript }: LiveTestClient, name: string) =>
      transcript.filter(({ type, topic }) => type === 'event' && topic === name);
    const enough = (client: LiveTestClient) => eventsOf(client, 'system/vitals').length > 3;
    await until('the vitals come', () => [one, two].every(enough), 20_000);
    const tookS = (performance.now() - startMs) / 1_000;
    const figures = [one, two].map((client) => {
      const vitals = eventsOf(client, 'system/vitals');
      const vehicle = eventsOf(client, 'fleet/demo').filter(({ key }) => key === 'A1');
      const connections = vitals.map(({ data }) => (data as { connections: number }).connections);
      return { vitals: vitals.length, vehicle: vehicle.length, connections: [...new Set(connections)] };
    });
    console.info(`In ${tookS.toFixed(1)} s: ${JSON.stringify(figures)}`);
    expect(figures.map(({ connections }) => connections)).toEqual([[1], [3]]);
    // Once a second, and not once for each instance.
    for (const { vehicle } of figures) expect([vehicle > 1, vehicle <= tookS + 1.5]).toEqual([true, true]);
    expect(await redis.run('KEYS', 'live:{system/vitals}*')).toEqual([]);
    expect(await redis.run('KEYS', 'live:{fleet/demo}*')).toEqual([]);
  }, 40_000);

  it('[S17] a server starts without its broker, logs it without the secret, and is ready once it appears', async () => {
    const redis = await RedisServer.start();
    await redis.stop();
    const url = redis.url.replace('//', '//default:canary@');
    const server = spawnServer({ ...secret, LIVE_BROKER_URL: url, LOG_LEVEL: 'debug' });
    const running = await listening(server);
    const entry = await server.logged('failed: connecting to Redis');
    expect(String(entry['why'])).toContain('ECONNREFUSED');
    expect([await statusOf(running, 'ready'), await statusOf(running, 'live')]).toEqual([503, 200]);
    expect((await publish(running, 1)).status).toBe(503);
    await redis.start();
    await readyWithin(running, 3_000);
    expect((await publish(running, 1)).status).toBe(202);
    await server.logged('broker available');
    redis.freeze();
    await vi.waitUntil(async () => (await statusOf(running, 'ready')) === 503, { timeout: 8_000 });
    expect(await statusOf(running, 'live')).toBe(200);
    server.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(server.stdout + server.stderr).not.toContain('canary');
  }, 40_000);

  it('[S17] the server does not start with an invalid LIVE_BROKER_URL, and does not print it', async () => {
    const server = spawnServer({ LIVE_BROKER_URL: 'redis://ann:canary@cache/three' });
    expect(await server.exit).toBe(1);
    expect(server.stderr).toContain('LIVE_BROKER_URL is a secret of 30 bytes, but must be redis://');
    expect(server.stdout + server.stderr).not.toContain('canary');
  });
});

describeWith(natsServer)('The server with the LIVE_BROKER_URL of a NATS server', () => {
  it('[S17] servers with the same LIVE_BROKER_URL on NATS form one live server', async () => {
    const nats = await NatsServer.start();
    onTestFinished(() => nats.remove());
    await areOne(nats.url);
  });
});

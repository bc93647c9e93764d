import type { INestApplication } from '@nestjs/common';
import { ClientProxyFactory, Transport, type ClientProxy } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { LiveTopic } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { sleep } from '../brokers/support/waiting.js';
import { startLiveApp } from '../support/live-app.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { PositionsController } from './guide/positions.controller.js';
import { StreamIngestion } from './guide/stream-ingestion.js';
import { listenOnNats, listenOnRedis } from './guide/transports.js';

@LiveTopic('fleet/*', { history: { size: 100 } })
class FleetTopics {
  canSubscribe(): boolean {
    return true;
  }
}

interface Instance {
  readonly app: INestApplication;
  readonly client: LiveTestClient;
}

/** A Nest application with the guide's controller, and a live client that reads `fleet/7`. */
async function instance(redisUrl?: string): Promise<Instance> {
  const { app, url } = await startLiveApp({
    options: redisUrl === undefined ? {} : { broker: () => new RedisBroker({ url: redisUrl }) },
    controllers: [PositionsController],
    providers: [FleetTopics],
  });
  const client = await LiveTestClient.connect(url, { token: 'ann', timeoutMs: 10_000 });
  await client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' });
  return { app, client };
}

/** Emits from another Nest application that does not use the library. */
async function emit(proxy: ClientProxy, count: number): Promise<void> {
  onTestFinished(() => proxy.close());
  await proxy.connect();
  for (let n = 1; n <= count; n++) {
    const position = { eventId: `event-${String(n)}`, vehicle: 'v1', lat: n, lon: 0 };
    await firstValueFrom(proxy.emit('positions', position), { defaultValue: undefined });
  }
}

async function latitudes({ client }: Instance, count: number): Promise<unknown[]> {
  const events = [];
  while (events.length < count) events.push(await client.nextOf('event'));
  expect(events.map(({ offset }) => offset)).toEqual(events.map((_, i) => i + 1));
  return events.map(({ data }) => (data as { lat: number }).lat);
}

describeWith(redisServer)('An @EventPattern handler over Redis', () => {
  it('a handler publishes the events of another process over Redis once, although every instance gets them', async () => {
    const redis = await RedisServer.start();
    const instances = await Promise.all([instance(redis.url), instance(redis.url)]);
    for (const { app } of instances) await listenOnRedis(app, '127.0.0.1', redis.port);
    const options = { host: '127.0.0.1', port: redis.port };
    await emit(ClientProxyFactory.create({ transport: Transport.REDIS, options }), 5);
    for (const each of instances) {
      expect((await latitudes(each, 5)).toSorted()).toEqual([1, 2, 3, 4, 5]);
      await sleep(100);
      expect(each.client.transcript.filter(({ type }) => type === 'event')).toHaveLength(5);
      void each.client.close();
    }
  }, 40_000);
});

describeWith(natsServer)('An @EventPattern handler over NATS', () => {
  it('a handler publishes the events of another process over NATS to live clients', async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    const servers = [server.url];
    const one = await instance();
    await listenOnNats(one.app, servers);
    await emit(ClientProxyFactory.create({ transport: Transport.NATS, options: { servers } }), 5);
    expect(await latitudes(one, 5)).toEqual([1, 2, 3, 4, 5]);
    void one.client.close();
  }, 40_000);
});

describeWith(redisServer)('The provider of the guide', () => {
  it("the guide's provider publishes the entries of the stream and stops with its application", async () => {
    const redis = await RedisServer.start();
    process.env['REDIS_URL'] = redis.url;
    onTestFinished(() => {
      delete process.env['REDIS_URL'];
    });
    const { app, url } = await startLiveApp({ providers: [FleetTopics, StreamIngestion] });
    const client = await LiveTestClient.connect(url, { token: 'ann', timeoutMs: 10_000 });
    await client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' });
    await redis.run('XADD', 'live:in', '*', 'topic', 'fleet/7', 'data', '7');
    expect(await client.nextOf('event')).toMatchObject({ topic: 'fleet/7', data: 7 });
    await app.close();
    expect(await redis.run('EXISTS', 'live:in:lease')).toBe(0);
  }, 40_000);
});

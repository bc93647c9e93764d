import { Controller, Get } from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { describe, expect, it } from 'vitest';
import { MemoryBroker } from '../src/brokers/memory/memory-broker.js';
import { LiveTopic } from '../src/index.js';
import { LiveHealthIndicator, LiveHealthModule } from '../src/nest/health/index.js';
import { LiveMetrics, LiveMetricsModule } from '../src/nest/metrics/index.js';
import { deliveryFaults, LiveTestClient } from '../src/testing/index.js';
import { LossyBroker } from './support/lossy-broker.js';
import {
  type LiveAppOptions,
  OpenTopics,
  type Platform,
  platforms,
  startLiveApp,
} from './support/live-app.js';

@LiveTopic('kept/*', { history: { size: 10 } })
class KeptTopics {
  canSubscribe(): boolean {
    return true;
  }
}

@LiveTopic('state/*')
class StateTopics {
  snapshots = 0;

  canSubscribe(): boolean {
    return true;
  }

  snapshot(): unknown {
    return { snapshot: (this.snapshots += 1) };
  }
}

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: LiveHealthIndicator,
  ) {}

  @Get('live')
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicator.live()]);
  }

  @Get('ready')
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicator.ready()]);
  }
}

async function start(platform: Platform, more: LiveAppOptions = {}) {
  const broker = new LossyBroker(new MemoryBroker());
  const app = await startLiveApp({
    platform,
    listen: true,
    imports: [TerminusModule, LiveHealthModule, LiveMetricsModule],
    controllers: [HealthController],
    providers: [OpenTopics, KeptTopics, StateTopics],
    ...more,
    options: { broker, ...more.options },
  });
  const client = await LiveTestClient.connect(app.url, { token: 'ann' });
  const subscribe = async (topic: string): Promise<void> => {
    client.send({ type: 'subscribe', topic });
    await client.settle();
  };
  const publish = async (topic: string, from: number, to = from): Promise<void> => {
    for (let i = from; i <= to; i++) await app.live.publish(topic, i);
  };
  /** Publishes while the broker delivers nothing. */
  const missing = async (topic: string, from: number, to = from): Promise<void> => {
    broker.carries = () => false;
    await publish(topic, from, to);
    broker.carries = () => true;
  };
  return { ...app, broker, client, subscribe, publish, missing };
}

const epoch = expect.any(String) as unknown;
const event = (topic: string, offset: number) => ({ type: 'event', topic, offset, data: offset });
const lost = (topic: string, from: number, to: number) => ({
  type: 'lost',
  topic,
  from,
  to,
  count: to - from + 1,
});
const pushed = (topic: string, offset: number, more: object = {}) => ({
  type: 'subscribed',
  topic,
  epoch,
  offset,
  recovered: false,
  ...more,
});

describe.each(platforms)('5. Streams that are lost while subscribed, on %s', (_name, platform) => {
  it('[L-5.7] a lost stream pushes subscribed without an id, with the new epoch and the snapshot', async () => {
    const { client, broker, subscribe, publish } = await start(platform);
    for (const topic of ['state/1', 'open/1']) {
      await subscribe(topic);
      await publish(topic, 1);
      await broker.lose(topic);
    }
    const before = await client.settle();
    broker.suspect();
    const [first, second] = [await client.nextOf('subscribed'), await client.nextOf('subscribed')];
    await publish('state/1', 1);
    const received = [first, second].toSorted((one, other) =>
      String(one['topic']) < String(other['topic']) ? -1 : 1,
    );
    expect(received).toEqual([pushed('open/1', 0), pushed('state/1', 0, { snapshot: { snapshot: 2 } })]);
    expect(before).toContainEqual(event('open/1', 1));
    expect(await client.settle()).toEqual([event('state/1', 1)]);
    expect(deliveryFaults(client.transcript)).toEqual([]);
  });

  it('[L-5.8] a gap pushes lost with the offsets that will not arrive, and delivery continues', async () => {
    const { client, subscribe, publish, missing } = await start(platform);
    await subscribe('open/1');
    await publish('open/1', 1, 2);
    await client.settle();
    await missing('open/1', 3, 5);
    await publish('open/1', 6);
    expect(await client.settle()).toEqual([lost('open/1', 3, 5), event('open/1', 6)]);
  });

  it('[L-5.8] the snapshot follows right after lost if the topic has one', async () => {
    const { client, subscribe, publish, missing } = await start(platform);
    await subscribe('state/1');
    await missing('state/1', 1, 3);
    await publish('state/1', 4);
    expect([await client.next(), await client.next()]).toEqual([
      lost('state/1', 1, 4),
      pushed('state/1', 4, { snapshot: { snapshot: 2 } }),
    ]);
    await publish('state/1', 5);
    expect(await client.settle()).toEqual([event('state/1', 5)]);
  });

  it('[L-5.9] missed publications are delivered in order, with one read for all subscribers', async () => {
    const { url, client, broker, subscribe, publish, missing } = await start(platform);
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, i) => LiveTestClient.connect(url, { token: `user-${String(i)}` })),
    );
    for (const each of others) await each.request({ type: 'subscribe', id: 1, topic: 'kept/1' });
    await subscribe('kept/1');
    broker.calls.length = 0;
    await missing('kept/1', 1, 4);
    await publish('kept/1', 5);
    const events = [1, 2, 3, 4, 5].map((offset) => event('kept/1', offset));
    for (const each of [client, ...others]) expect(await each.settle()).toEqual(events);
    expect(broker.calls.filter((call) => call.startsWith('read'))).toEqual(['read kept/1']);
  });

  it('[L-5.10] the server compares all positions periodically, with one call', async () => {
    const options = { positionCheckIntervalMs: 200 };
    const { client, broker, subscribe, missing } = await start(platform, { options });
    for (const topic of ['kept/1', 'kept/2', 'kept/3']) await subscribe(topic);
    broker.calls.length = 0;
    await missing('kept/2', 1);
    expect(await client.next()).toEqual(event('kept/2', 1));
    expect(broker.calls.filter((call) => /^(?:tops|read)/.test(call)).slice(-2)).toEqual([
      'tops kept/1,kept/2,kept/3',
      'read kept/2',
    ]);
  });
});

describe.each(platforms)('5. A broker that is away, on %s', (_name, platform) => {
  it('[L-5.11] while the broker is away, connections stay, new work is refused, and service resumes by itself', async () => {
    const { app, httpUrl, url, live, client, broker, subscribe, publish, missing } = await start(platform);
    const metrics = app.get(LiveMetrics, { strict: false });
    const read = async (name: string): Promise<string | undefined> =>
      new RegExp(`^processor_live_${name} (.*)$`, 'm').exec(await metrics.text())?.[1];
    const health = async (): Promise<[number, number]> => {
      const [alive, ready] = await Promise.all(
        ['live', 'ready'].map((which) => fetch(`${httpUrl}/health/${which}`)),
      );
      return [alive?.status ?? 0, ready?.status ?? 0];
    };
    await subscribe('kept/1');
    await publish('kept/1', 1);
    await missing('kept/1', 2);
    await client.settle();
    expect([await health(), await read('broker_available')]).toEqual([[200, 200], '1']);

    broker.goAway();
    expect([await health(), await read('broker_available')]).toEqual([[200, 503], '0']);
    await expect(LiveTestClient.connect(url, { token: 'bob' })).rejects.toMatchObject({
      statusCode: 503,
      headers: { 'retry-after': '1' },
      body: {
        statusCode: 503,
        error: 'Service Unavailable',
        message: 'The broker of this server is unavailable',
      },
    });
    const error = {
      type: 'error',
      code: 'unavailable',
      message: expect.any(String) as unknown,
      retryAfterMs: 1_000,
    };
    expect(await client.request({ type: 'subscribe', id: 1, topic: 'kept/2' })).toEqual({
      ...error,
      id: 1,
      topic: 'kept/2',
    });
    expect(await client.request({ type: 'publish', id: 2, topic: 'open/1', data: 1 })).toEqual({
      ...error,
      id: 2,
      topic: 'open/1',
    });
    await expect(live.publish('kept/1', 3)).rejects.toMatchObject({ code: 'unavailable' });

    broker.comeBack();
    expect(await client.next()).toEqual(event('kept/1', 2));
    expect([await health(), await read('broker_available')]).toEqual([[200, 200], '1']);
    await publish('kept/1', 3);
    expect(await client.settle()).toEqual([event('kept/1', 3)]);
    const bob = await LiveTestClient.connect(url, { token: 'bob' });
    expect(await bob.request({ type: 'subscribe', id: 1, topic: 'kept/1' })).toMatchObject({ offset: 3 });
    expect(await read('gaps_total{outcome="healed"}')).toBe('1');
  });

  it("[L-5.11] publishQueue lets the application's publications wait for the broker", async () => {
    const options = { publishQueue: { maxMessages: 2 } };
    const { live, client, broker, subscribe } = await start(platform, { options });
    await subscribe('open/1');
    broker.goAway();
    const waiting = [1, 2].map((data) => live.publish('open/1', data));
    await expect(live.publish('open/1', 3)).rejects.toMatchObject({ code: 'unavailable' });
    broker.comeBack();
    expect((await Promise.all(waiting)).map(({ offset }) => offset)).toEqual([1, 2]);
    expect(await client.settle()).toEqual([event('open/1', 1), event('open/1', 2)]);
  });

  it('no client is accepted before the broker has connected for the first time', async () => {
    const broker = new LossyBroker(new MemoryBroker());
    broker.available = false;
    const { url } = await startLiveApp({ platform, options: { broker } });
    await expect(LiveTestClient.connect(url, { token: 'ann' })).rejects.toMatchObject({ statusCode: 503 });
    broker.comeBack();
    expect((await (await LiveTestClient.connect(url, { token: 'ann' })).next()).type).toBe('welcome');
  });
});

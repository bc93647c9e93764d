import { Controller, Get, Injectable, type OnModuleDestroy } from '@nestjs/common';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  HealthIndicatorService,
  TerminusModule,
} from '@nestjs/terminus';
import { describe, expect, it } from 'vitest';
import { LiveHealthIndicator, LiveHealthModule } from '../src/nest/health/index.js';
import { HandshakeRefused, LiveTestClient } from '../src/testing/index.js';
import { drainProgress } from './support/drain-progress.js';
import { type LiveAppOptions, OpenTopics, platforms, startLiveApp } from './support/live-app.js';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: LiveHealthIndicator,
  ) {}

  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicator.live()]);
  }

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicator.ready()]);
  }
}

/** Holds the shutdown at the first of Nest's hooks until `release` is called. */
@Injectable()
class Brake implements OnModuleDestroy {
  release: () => void = () => {};
  private readonly released = new Promise<void>((resolve) => {
    this.release = resolve;
  });

  onModuleDestroy(): Promise<void> {
    return this.released;
  }
}

const terminus = TerminusModule.forRoot({ logger: false });

const healthApp: LiveAppOptions = {
  listen: true,
  imports: [terminus, LiveHealthModule],
  controllers: [HealthController],
};

interface Answer {
  readonly status: number;
  readonly body: HealthCheckResult;
}

async function ask(httpUrl: string, which: 'live' | 'ready'): Promise<Answer> {
  const response = await fetch(`${httpUrl}/health/${which}`);
  return { status: response.status, body: (await response.json()) as HealthCheckResult };
}

const askBoth = async (httpUrl: string) => {
  const [live, ready] = await Promise.all([ask(httpUrl, 'live'), ask(httpUrl, 'ready')]);
  return { live: live.status, ready: ready.status, state: ready.body.details['live']?.['state'] as string };
};

/** Polls until the server is in this state, and ignores the answers before. */
async function untilState(httpUrl: string, state: string): Promise<void> {
  const end = Date.now() + 5_000;
  for (let now = await askBoth(httpUrl); now.state !== state; now = await askBoth(httpUrl))
    if (Date.now() > end) throw new Error(`The state is still ${now.state}, not ${state}`);
}

/** A client that reads nothing, so it does not answer the close until it is resumed. */
async function connectSlow(url: string): Promise<LiveTestClient> {
  const client = await LiveTestClient.connect(url, { token: 'slow' });
  await client.nextOf('welcome');
  client.socket.pause();
  return client;
}

const delays = { mean: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) } as const;

describe.each(platforms)('health, on %s', (_name, platform) => {
  it('[S1] live and ready answer 200 in the shape of Terminus', async () => {
    const { httpUrl, url } = await startLiveApp({ ...healthApp, platform });
    await LiveTestClient.connect(url, { token: 'ann' });
    const live = {
      status: 'up',
      state: 'ready',
      draining: false,
      brokerAvailable: true,
      connections: 1,
      instances: [expect.any(String)],
      eventLoopDelayMs: delays,
    };
    const expected = { status: 200, body: { status: 'ok', info: { live }, error: {}, details: { live } } };
    expect([await ask(httpUrl, 'live'), await ask(httpUrl, 'ready')]).toEqual([expected, expected]);
  });

  it('[L-10.1] a stopping server reports not ready before it refuses anybody, and stays live', async () => {
    const { app, httpUrl, url } = await startLiveApp({
      ...healthApp,
      platform,
      providers: [OpenTopics, Brake],
    });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    const closing = app.close();
    await untilState(httpUrl, 'stopping');
    expect(await askBoth(httpUrl)).toEqual({ live: 200, ready: 503, state: 'stopping' });
    const late = await LiveTestClient.connect(url, { token: 'late' });
    expect(await client.request({ type: 'ping', id: 1 })).toEqual({ type: 'pong', id: 1 });
    app.get(Brake).release();
    await closing;
    const goodbye = { code: 1001, reason: 'server shutting down' };
    expect(await Promise.all([client.closed, late.closed])).toEqual([goodbye, goodbye]);
  });

  // The order of imports decides the order of hooks. Terminus' own flag must not fail liveness in
  // either.
  it.each([
    ['terminus first', [terminus, LiveHealthModule]],
    ['terminus last', [LiveHealthModule, terminus]],
  ])(
    '[L-10.1] a server with a slow client is live and not ready while it drains (%s)',
    async (_order, imports: NonNullable<LiveAppOptions['imports']>) => {
      const { app, httpUrl, url } = await startLiveApp({ ...healthApp, imports, platform });
      const slow = await connectSlow(url);
      const closing = app.close();
      await untilState(httpUrl, 'draining');
      expect(
        await LiveTestClient.connect(url, { token: 'late' }).catch((error: unknown) => error),
      ).toMatchObject(new HandshakeRefused(503, expect.anything() as never, expect.anything()));
      const { status, body } = await ask(httpUrl, 'ready');
      expect([status, body.status]).toEqual([503, 'error']);
      expect(body.error).toEqual({
        live: {
          status: 'down',
          state: 'draining',
          draining: true,
          drain: drainProgress({ connections: 1, closed: 1, remaining: 1 }),
          brokerAvailable: true,
          connections: 1,
          instances: [expect.any(String)],
          eventLoopDelayMs: delays,
        },
      });
      expect(await askBoth(httpUrl)).toEqual({ live: 200, ready: 503, state: 'draining' });
      slow.socket.resume();
      await closing;
      expect(await slow.closed).toEqual({ code: 1001, reason: 'server shutting down' });
    },
  );

  it('[S1] the server is not ready before it listens or after it has stopped', async () => {
    const states: unknown[] = [];
    const tell = (indicator: LiveHealthIndicator): void => {
      const { live } = indicator.ready();
      states.push([live.status, live.state, indicator.live().live.status]);
    };
    const { app } = await startLiveApp({
      ...healthApp,
      platform,
      before: (starting) => tell(starting.get(LiveHealthIndicator, { strict: false })),
    });
    const indicator = app.get(LiveHealthIndicator, { strict: false });
    tell(indicator);
    await app.close();
    tell(indicator);
    expect(states).toEqual([
      ['down', 'starting', 'up'],
      ['up', 'ready', 'up'],
      ['down', 'stopped', 'up'],
    ]);
  });

  it('[S1] LiveHealthIndicator works as a plain provider in a module that imports Terminus itself', async () => {
    const { app } = await startLiveApp({
      platform,
      imports: [terminus],
      providers: [OpenTopics, LiveHealthIndicator],
    });
    expect(app.get(HealthIndicatorService, { strict: false })).toBeDefined();
    expect(app.get(LiveHealthIndicator).ready('sockets')).toMatchObject({ sockets: { status: 'up' } });
  });
});

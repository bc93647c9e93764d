import {
  type BeforeApplicationShutdown,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { LiveLifecycle, LiveModule, LiveService, type LiveState } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { createHost } from './support/host-app.js';
import { LogRecorder } from './support/log-recorder.js';
import { RawPeer } from './support/raw-peer.js';
import { refusalOf } from './support/refusal-of.js';

/** A provider of the host that reads the live server's state in each of its own hooks. */
@Injectable()
class Witness implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly states: LiveState[] = [];

  constructor(private readonly lifecycle: LiveLifecycle) {}

  onModuleDestroy(): void {
    this.states.push(this.lifecycle.state);
  }

  beforeApplicationShutdown(): void {
    this.states.push(this.lifecycle.state);
  }

  onApplicationShutdown(): void {
    this.states.push(this.lifecycle.state);
  }
}

@Module({ providers: [Witness] })
class WitnessModule {}

const shuttingDown = { code: 1001, reason: 'server shutting down' };

describe.each(platforms)('The life of the live server, on %s', (_name, platform) => {
  it('[S1] the live server starts, accepts clients, drains them when it stops, and closes', async () => {
    const log = new LogRecorder();
    const { app, live, url } = await startLiveApp({ platform, before: log.use });
    const lifecycle = app.get(LiveLifecycle);
    expect(lifecycle.state).toBe('ready');
    const clients = await Promise.all(['ann', 'bob'].map((token) => LiveTestClient.connect(url, { token })));
    for (const client of clients) await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    const { epoch } = await live.publish('open/1', 'last words');
    await app.close();
    expect(lifecycle.state).toBe('stopped');
    for (const client of clients) {
      expect(await client.closed).toEqual(shuttingDown);
      expect(client.transcript.slice(1)).toEqual([
        { type: 'subscribed', id: 1, topic: 'open/1', epoch, offset: 0, recovered: false },
        { type: 'event', topic: 'open/1', offset: 1, data: 'last words' },
      ]);
    }
    await expect(LiveTestClient.connect(url, { token: 'ann' })).rejects.toThrow('ECONNREFUSED');
    expect(live.stats()).toMatchObject({ connections: 0, users: 0, queuedBytes: 0, draining: true });
  });

  it("[S2] the live server's own port is bound when app.init() resolves, and the log says starting and ready", async () => {
    const log = new LogRecorder();
    const { url, live } = await startLiveApp({ platform, before: log.use });
    await LiveTestClient.connect(url, { token: 'ann' });
    const port = Number(new URL(url).port);
    expect(log.live('log')).toEqual([
      { msg: 'starting', host: '127.0.0.1', port: 0 },
      { msg: 'ready', host: '127.0.0.1', port, url: live.url() },
    ]);
  });

  it("[S2] the live server keeps running when the application's server is closed", async () => {
    const { app, url, httpUrl } = await startLiveApp({ platform, listen: true });
    expect(new URL(url).port).not.toBe(new URL(httpUrl).port);
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await new Promise((resolve) => {
      (app.getHttpServer() as { close(done: (error?: unknown) => void): void }).close(resolve);
    });
    expect(await client.request({ type: 'ping', id: 1 })).toEqual({ type: 'pong', id: 1 });
  });

  it("[S3] the live server's own port answers 404 to plain requests of any method and body", async () => {
    const { url } = await startLiveApp({ platform });
    const http = url.replace('ws:', 'http:');
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const body = method === 'POST' || method === 'PUT' ? { body: 'x'.repeat(100_000) } : {};
      const response = await fetch(http, { method, ...body });
      expect([method, response.status]).toEqual([method, 404]);
    }
    expect((await fetch(new URL('/', http))).status).toBe(404);
  });

  it('[S16] a stop logs stopping with the connections, drained, and stopped', async () => {
    const log = new LogRecorder();
    const { app, url } = await startLiveApp({ platform, before: log.use });
    await Promise.all(['ann', 'bob'].map((token) => LiveTestClient.connect(url, { token })));
    const started = log.live('log').length;
    await app.close();
    expect(log.live('log').slice(started)).toEqual([
      { msg: 'stopping', connections: 2 },
      { msg: 'drained', connections: 2, left: 0, closed: 2, terminated: 0 },
      { msg: 'stopped' },
    ]);
  });

  it.each([0, 'app'] as const)(
    '[S16] connections still open at the drain timeout are terminated and counted, on port %j',
    async (port) => {
      const log = new LogRecorder();
      const { app, url } = await startLiveApp({
        platform,
        options: { port, drainTimeoutMs: 150 },
        before: log.use,
      });
      const deaf = await RawPeer.connect(url);
      deaf.upgrade('/live', ['Authorization: Bearer ann']);
      await deaf.until('"welcome"');
      const polite = await LiveTestClient.connect(url, { token: 'bob' });
      const start = Date.now();
      await app.close();
      const tookMs = Date.now() - start;
      // Below the 3 s after which `ws` gives up by itself.
      expect([tookMs >= 145, tookMs < 2_500]).toEqual([true, true]);
      expect(await polite.closed).toEqual(shuttingDown);
      await deaf.closed;
      expect(deaf.received).toContain('\x88\x16\x03\xe9server shutting down');
      expect(log.live('log')).toContainEqual({
        msg: 'drained',
        connections: 2,
        left: 0,
        closed: 2,
        terminated: 1,
      });
    },
  );

  it.each([0, 'app'] as const)(
    '[S16] new handshakes get 503 from the first shutdown hook on while peers are leaving, on port %j',
    async (port) => {
      const { app, url } = await startLiveApp({ platform, options: { port, drainTimeoutMs: 1_000 } });
      const lifecycle = app.get(LiveLifecycle);
      const deaf = await RawPeer.connect(url);
      deaf.upgrade('/live', ['Authorization: Bearer ann']);
      await deaf.until('"welcome"');
      const closing = app.close();
      await expect.poll(() => lifecycle.state).toBe('draining');
      const { statusCode, headers, body } = await refusalOf(url, { token: 'bob' });
      expect([statusCode, headers['retry-after'], body]).toEqual([
        503,
        '1',
        { statusCode: 503, error: 'Service Unavailable', message: 'The server is shutting down' },
      ]);
      deaf.socket.destroy();
      await closing;
    },
  );

  it.each(['before', 'after'])(
    '[S16] the server is not ready in the first hook of a module imported %s it',
    async (where) => {
      const live = LiveModule.forRoot({ port: 0, guards: [BearerIsUser] });
      const app = await createHost(platform, {
        imports: where === 'before' ? [WitnessModule, live] : [live, WitnessModule],
        providers: [OpenTopics],
      });
      await app.init();
      const client = await LiveTestClient.connect(app.get(LiveService).url(), { token: 'ann' });
      const { states } = app.get(Witness, { strict: false });
      await app.close();
      await client.closed;
      const [first, second, third] = states;
      expect(['stopping', 'draining']).toContain(first);
      expect(second).toBe('draining');
      expect(['draining', 'stopped']).toContain(third);
      expect(app.get(LiveLifecycle).state).toBe('stopped');
    },
  );

  it('[S16] calling app.close() several times stops the server once', async () => {
    const log = new LogRecorder();
    const { app, url } = await startLiveApp({ platform, before: log.use });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await Promise.all([app.close(), app.close()]);
    await app.close();
    expect(await client.closed).toEqual(shuttingDown);
    expect(log.live('log').filter((entry) => (entry as { msg: string }).msg === 'stopping')).toHaveLength(1);
  });

  it('[S16] the start warns if nothing listens to SIGTERM, and only then', async () => {
    const warning = expect.stringContaining('Call app.enableShutdownHooks() to drain') as string;
    const none = new LogRecorder();
    await startLiveApp({ platform, before: none.use });
    expect(none.live('warn')).toContainEqual(warning);
    const some = new LogRecorder();
    await startLiveApp({
      platform,
      before: (app) => {
        some.use(app);
        app.enableShutdownHooks();
      },
    });
    expect(some.live('warn')).not.toContainEqual(warning);
  });

  it('[S1] an application that is closed before it started closes without an error', async () => {
    const app = await createHost(platform, {
      imports: [LiveModule.forRoot({ port: 0, guards: [BearerIsUser] })],
    });
    await app.close();
    expect(app.get(LiveLifecycle).state).toBe('stopped');
  });
});

describe('The live module without an HTTP server', () => {
  it('[S18] an application context can publish, and warns that nobody can connect to it', async () => {
    @Module({
      imports: [LiveModule.forRoot({ port: 0, guards: [BearerIsUser] })],
      providers: [OpenTopics],
    })
    class WorkerModule {}
    const log = new LogRecorder();
    const app = await NestFactory.createApplicationContext(WorkerModule, { logger: log });
    expect(await app.get(LiveService).publish('open/1', 1)).toMatchObject({ offset: 1 });
    expect(log.live('warn')).toContain(
      'This application has no HTTP server: it can publish, but clients cannot connect.',
    );
    await app.close();
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CanActivate, type ExecutionContext, Injectable, Module } from '@nestjs/common';
import { onTestFinished, describe, expect, it, vi } from 'vitest';
import { LiveModule, type LiveModuleOptions, LiveService, setConnectionIdentity } from '../../src/index.js';
import { HandshakeRefused, LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { createHost, failureOf } from './support/host-app.js';

/** A provider of the host, in a module that is not global. */
@Injectable()
class Users {
  readonly names = new Map([['t-1', 'ann']]);
}

@Module({ providers: [Users], exports: [Users] })
class UsersModule {}

/** A guard that injects a provider of the host. */
@Injectable()
class TokenGuard implements CanActivate {
  constructor(private readonly users: Users) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    const id = this.users.names.get(request.headers['authorization']?.slice('Bearer '.length) ?? '');
    if (id !== undefined) setConnectionIdentity(request, { user: { id } });
    return id !== undefined;
  }
}

const refusalOf = async (url: string, token = 'ann'): Promise<HandshakeRefused> => {
  const error: unknown = await LiveTestClient.connect(url, { token }).catch((error: unknown) => error);
  if (error instanceof HandshakeRefused) return error;
  throw new Error('It was let in');
};

/** Occupies a port until the test has finished. */
async function takePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe.each(platforms)('LiveModule in an application, on %s', (_name, platform) => {
  it.each([0, 'app'] as const)(
    '[S18] importing the module is all that is needed to deliver a publication to a client, on port %j',
    async (port) => {
      const { live, url } = await startLiveApp({ platform, options: { port, instanceId: 'one' } });
      const client = await LiveTestClient.connect(url, { token: 'ann' });
      await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
      const { epoch } = await live.publish('open/1', { speed: 7 });
      await client.settle();
      expect(client.transcript).toEqual([
        {
          type: 'welcome',
          connectionId: expect.any(String) as string,
          instanceId: 'one',
          user: { id: 'ann' },
          reconnectSpreadMs: 1_000,
          limits: expect.objectContaining({ maxTopics: 128, pingIntervalMs: 25_000 }) as object,
        },
        { type: 'subscribed', id: 1, topic: 'open/1', epoch, offset: 0, recovered: false },
        { type: 'event', topic: 'open/1', offset: 1, data: { speed: 7 } },
        { type: 'pong', id: 'settle-1' },
      ]);
    },
  );

  it('[S18] forRootAsync accepts imports, inject, useFactory and guards', async () => {
    const app = await createHost(platform, {
      imports: [
        LiveModule.forRootAsync({
          imports: [UsersModule],
          inject: [Users],
          guards: [TokenGuard],
          useFactory: async (users: Users) => {
            await Promise.resolve();
            return { port: 0, path: '/feed', instanceId: `knows-${String(users.names.size)}` };
          },
        }),
      ],
      providers: [OpenTopics],
    });
    await app.init();
    const url = app.get(LiveService).url();
    expect(new URL(url).pathname).toBe('/feed');
    const client = await LiveTestClient.connect(url, { token: 't-1' });
    expect(await client.next()).toMatchObject({ instanceId: 'knows-1', user: { id: 'ann' } });
    expect(await refusalOf(url, 'nobody')).toMatchObject({ statusCode: 403 });
  });

  it('[S18] forRoot accepts the imports of its guards', async () => {
    const live = LiveModule.forRoot({ port: 0, imports: [UsersModule], guards: [TokenGuard] });
    const app = await createHost(platform, { imports: [live], providers: [OpenTopics] });
    await app.init();
    const client = await LiveTestClient.connect(app.get(LiveService).url(), { token: 't-1' });
    expect(await client.next()).toMatchObject({ user: { id: 'ann' } });
  });

  it('[S18] providers of any module can inject LiveService unless isGlobal is false', async () => {
    @Injectable()
    class Fleet {
      constructor(readonly live: LiveService) {}
    }
    @Module({ providers: [Fleet] })
    class FleetModule {}
    const root = (isGlobal: boolean) => LiveModule.forRoot({ port: 0, isGlobal, guards: [BearerIsUser] });
    const app = await createHost(platform, { imports: [root(true), FleetModule] });
    expect(app.get(Fleet, { strict: false }).live).toBe(app.get(LiveService, { strict: false }));
    expect(await failureOf(createHost(platform, { imports: [root(false), FleetModule] }))).toContain(
      "can't resolve dependencies of the Fleet",
    );
  });

  it('[S2] port 0 binds a free port, and url() returns it', async () => {
    const { url } = await startLiveApp({ platform });
    expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:[1-9]\d+\/live$/);
  });

  it("[S2] url() with port 'app' is the address of the application once it listens", async () => {
    const { app, live } = await startLiveApp({ platform, options: { port: 'app' } });
    expect(live.url()).toBe(`ws://127.0.0.1:${new URL(await app.getUrl()).port}/live`);
    const other = await createHost(platform, {
      imports: [LiveModule.forRoot({ port: 'app', guards: [BearerIsUser] })],
    });
    await other.init();
    expect(() => other.get(LiveService).url()).toThrow('call url() after app.listen()');
  });

  it('[S2] app.init() and app.listen() reject if the port is in use, and name host and port', async () => {
    const port = await takePort();
    const words = `The live server cannot listen on 127.0.0.1:${String(port)}: the port is in use.`;
    const live = () => LiveModule.forRoot({ port, guards: [BearerIsUser] });
    const initialized = await createHost(platform, { imports: [live()] });
    const listening = await createHost(platform, { imports: [live()] });
    // Both wait for the port at the same time.
    const starts = [initialized.init(), listening.listen(0, '127.0.0.1')].map(failureOf);
    for (const failure of await Promise.all(starts)) expect(failure).toContain(words);
    expect(listening.getHttpServer().listening).toBe(false);
  });

  it('[S2] a failed start leaves nothing behind, and a second start can use the port', async () => {
    const first = await startLiveApp({ platform });
    const port = Number(new URL(first.url).port);
    const live = () => LiveModule.forRoot({ port, guards: [BearerIsUser] });
    const failed = await createHost(platform, { imports: [live()] });
    // In production a start does not wait for the port.
    vi.stubEnv('NODE_ENV', 'production');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(failed.init()).rejects.toThrow('in use');
    await failed.close();
    await first.app.close();
    const again = await createHost(platform, { imports: [live()], providers: [OpenTopics] });
    await again.init();
    const client = await LiveTestClient.connect(again.get(LiveService).url(), { token: 'ann' });
    expect(await client.next()).toMatchObject({ type: 'welcome' });
  });

  it('[S2] app.init() rejects an invalid option by its name and value', async () => {
    const wrong = LiveModule.forRoot({ port: 70_000, guards: [BearerIsUser] });
    expect(await failureOf(createHost(platform, { imports: [wrong] }))).toBe(
      'LiveModule: "port" is 70000, but must be an integer from 0 to 65535.',
    );
  });

  it('[S18] a second forRoot is an error that says what to do', async () => {
    const root = () => LiveModule.forRoot({ port: 0, guards: [BearerIsUser] });
    expect(await failureOf(createHost(platform, { imports: [root(), root()] }))).toBe(
      'LiveModule.forRoot is imported twice, which would make two live servers. Import it once, in the root ' +
        'module; its providers are global.',
    );
  });

  it('[S18] LiveModule without forRoot is an error that says what to do', async () => {
    expect(await failureOf(createHost(platform, { imports: [LiveModule] }))).toBe(
      'LiveModule is imported without options. Import LiveModule.forRoot({ … }) or LiveModule.forRootAsync({ … }).',
    );
  });

  it.each([undefined, null, 'live'])(
    '[S18] a factory of options that returns %j is an error that says what to do',
    async (options) => {
      const live = LiveModule.forRootAsync({
        guards: [BearerIsUser],
        useFactory: () => options as unknown as LiveModuleOptions,
      });
      expect(await failureOf(createHost(platform, { imports: [live] }))).toMatch(
        /^LiveModule: the options are (undefined|null|a string of 4 characters), but must be an object\./,
      );
    },
  );

  it.each([0, 'app'] as const)(
    '[L-1.8] the server serves only its own path, with or without a trailing slash, on port %j',
    async (port) => {
      const { url } = await startLiveApp({ platform, options: { port, path: '/feed/v1' } });
      expect(new URL(url).pathname).toBe('/feed/v1');
      for (const good of [url, `${url}/`, `${url}?since=1`]) {
        const client = await LiveTestClient.connect(good, { token: 'ann' });
        expect(await client.next()).toMatchObject({ type: 'welcome' });
      }
      for (const wrong of ['/feed', '/live', '/feed/v1/x', '/feed/v1//']) {
        const refused = await refusalOf(new URL(wrong, url).href);
        expect(refused).toMatchObject({
          statusCode: 404,
          body: { statusCode: 404, error: 'Not Found', message: 'No WebSocket endpoint at this path' },
        });
        expect(refused.headers.connection).toBe('close');
      }
    },
  );

  it("[S3] the live server's own HTTP server answers 404 to a plain request and does not affect the application", async () => {
    const { url, httpUrl } = await startLiveApp({ platform, listen: true });
    const response = await fetch(url.replace('ws:', 'http:'));
    expect([response.status, await response.json()]).toEqual([
      404,
      { statusCode: 404, error: 'Not Found', message: 'Only WebSocket upgrades are served here' },
    ]);
    expect((await fetch(httpUrl)).status).toBe(404);
    expect(new URL(url).port).not.toBe(new URL(httpUrl).port);
  });
});

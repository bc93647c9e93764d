import { describe, expect, it } from 'vitest';
import type { CanActivate, INestApplication } from '@nestjs/common';
import { ConnectionRegistry, LiveHandlers, type LiveService } from '../../src/index.js';
import { SubscribeMessage } from '@nestjs/websockets';
import { LiveTestClient } from '../../src/testing/index.js';
import { LiveServer } from '../../src/nest/live.server.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { RawPeer } from './support/raw-peer.js';

const authorization = 'Authorization: Bearer ann';

/** Lets in as `BearerIsUser` does, but never decides about `?hang`. */
class HangingGuard extends BearerIsUser implements CanActivate {
  override canActivate(context: Parameters<BearerIsUser['canActivate']>[0]): boolean {
    const { url } = context.switchToHttp().getRequest<{ url: string }>();
    return url.endsWith('hang') ? (new Promise(() => {}) as never) : super.canActivate(context);
  }
}

/** A handler that is never done. */
@LiveHandlers()
class NeverDone {
  @SubscribeMessage('never')
  never(): Promise<void> {
    return new Promise(() => {});
  }
}

interface Situation {
  readonly app: INestApplication;
  readonly live: LiveService;
  readonly url: string;
}

const inside = async (url: string, options?: { allowHalfOpen: boolean }): Promise<RawPeer> => {
  const peer = await RawPeer.connect(url, options);
  peer.upgrade('/live', [authorization]);
  await peer.until('"welcome"');
  return peer;
};

/** Every way in which a peer is there when the application is closed. */
const situations: Record<string, (situation: Situation) => Promise<unknown>> = {
  nobody: () => Promise.resolve(),
  'an idle client': ({ url }) => LiveTestClient.connect(url, { token: 'ann' }),
  'a client that sends and receives all the time': async ({ url, live }) => {
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    const busy = (): void => {
      if (client.socket.readyState !== client.socket.OPEN) return;
      client.send({ type: 'publish', topic: 'open/1', data: 'x'.repeat(1_000) });
      live.publish('open/1', 1).catch(() => {});
      setImmediate(busy);
    };
    busy();
    await client.nextOf('event');
  },
  'a client whose handler is never done': async ({ url }) => {
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    for (let i = 0; i < 200; i++) client.send({ type: 'never' });
    await client.next();
  },
  'a client that does not read': async ({ url, live, app }) => {
    const peer = await inside(url);
    peer.send('{"type":"subscribe","id":1,"topic":"open/1"}');
    await peer.until('"subscribed"');
    peer.socket.pause();
    const [connection] = app.get(ConnectionRegistry);
    const waiting = (): number => connection?.socket.bufferedBytes ?? 1;
    // Until the system has taken all that it takes, and bytes wait in the process.
    while (waiting() === 0) {
      await live.publish('open/1', 'x'.repeat(50_000));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  },
  'a client that has half closed its socket': async ({ url }) => {
    const peer = await inside(url, { allowHalfOpen: true });
    peer.socket.end();
  },
  'a client that answers no close': ({ url }) => inside(url, { allowHalfOpen: true }),
  'a client that is gone without a word': async ({ url }) => {
    const peer = await inside(url);
    peer.socket.resetAndDestroy();
  },
  'a pending handshake': async ({ url, app }) => {
    const peer = await RawPeer.connect(url, { allowHalfOpen: true });
    peer.upgrade('/live?hang', [authorization]);
    await expect.poll(() => app.get(LiveServer).pendingHandshakes).toBe(1);
  },
  'a pending handshake of a client that does not read': async ({ url, app }) => {
    const peer = await RawPeer.connect(url, { allowHalfOpen: true });
    peer.socket.pause();
    peer.upgrade('/live?hang', [authorization]);
    await expect.poll(() => app.get(LiveServer).pendingHandshakes).toBe(1);
  },
  'a refused client that keeps its socket open': async ({ url }) => {
    const peer = await RawPeer.connect(url, { allowHalfOpen: true });
    peer.upgrade('/live');
    await peer.until('401 Unauthorized');
  },
};

/** Ways to occupy a port without an upgrade; on the application's port they keep a stock Nest from closing. */
const strangers: Record<string, (situation: Situation) => Promise<unknown>> = {
  'a connection that says nothing': ({ url }) => RawPeer.connect(url),
  'half a handshake': async ({ url }) => {
    const peer = await RawPeer.connect(url);
    peer.socket.write('GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr');
  },
  'a plain request with half a body': async ({ url }) => {
    const peer = await RawPeer.connect(url, { allowHalfOpen: true });
    peer.socket.write('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n12345');
    await peer.until('404 Not Found');
  },
};

describe.each(platforms)('app.close() never hangs, on %s', (_name, platform) => {
  const closes = async (
    port: 0 | 'app',
    arrange: (situation: Situation) => Promise<unknown>,
  ): Promise<void> => {
    const { app, live, url } = await startLiveApp({
      platform,
      guards: [HangingGuard],
      providers: [OpenTopics, NeverDone],
      options: {
        port,
        drainTimeoutMs: 300,
        upgradeTimeoutMs: 60_000,
        backPressureThresholdBytes: 2 ** 40,
      },
    });
    await arrange({ app, live, url });
    await app.close();
    expect(app.get(ConnectionRegistry).size).toBe(0);
    expect(app.get(LiveServer).pendingHandshakes).toBe(0);
    expect(live.stats()).toMatchObject({ connections: 0, subscriptions: 0, queuedBytes: 0 });
  };

  describe.each([0, 'app'] as const)('port %j', (port) => {
    it.each(Object.entries(situations))('[S16] with %s', (_what, arrange) => closes(port, arrange), 8_000);
  });

  describe.each([0, 'app'] as const)('port %j', (port) => {
    it.each(Object.entries(strangers))('[S16] with %s', (_what, arrange) => closes(port, arrange), 8_000);
  });
});

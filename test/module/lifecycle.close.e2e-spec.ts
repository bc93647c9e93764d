import { describe, expect, it, vi } from 'vitest';
import type { CanActivate, ExecutionContext, INestApplication } from '@nestjs/common';
import {
  ConnectionRegistry,
  LiveHandlers,
  LiveObservers,
  type LiveService,
  setConnectionIdentity,
} from '../../src/index.js';
import { Live } from '../../src/core/live.js';
import { SubscribeMessage } from '@nestjs/websockets';
import { LiveTestClient } from '../../src/testing/index.js';
import { LiveServer } from '../../src/nest/server/live.server.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { LogRecorder } from './support/log-recorder.js';
import { refusalOf } from './support/refusal-of.js';
import { RawPeer } from './support/raw-peer.js';
import { insideOf } from '../support/inside-of.js';

const authorization = 'Authorization: Bearer ann';

/** Accepts like `BearerIsUser`, but never decides about `?hang`. */
class HangingGuard extends BearerIsUser implements CanActivate {
  override canActivate(context: Parameters<BearerIsUser['canActivate']>[0]): boolean {
    const { url } = context.switchToHttp().getRequest<{ url: string }>();
    return url.endsWith('hang') ? (new Promise(() => {}) as never) : super.canActivate(context);
  }
}

/** A handler that never finishes. */
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

/** The states in which a peer can be when the application is closed. */
const situations: Record<string, (situation: Situation) => Promise<unknown>> = {
  'no client': () => Promise.resolve(),
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
  'a client whose handler never finishes': async ({ url }) => {
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
    const waiting = (): number => insideOf(connection).socket.bufferedBytes;
    // Until the kernel buffers are full and bytes wait in the process.
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
  'a client that does not answer the close': ({ url }) => inside(url, { allowHalfOpen: true }),
  'a client that has reset its socket': async ({ url }) => {
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

/**
 * Connections without an upgrade. On the application's port they keep a stock Nest from closing.
 */
const nonUpgrades: Record<string, (situation: Situation) => Promise<unknown>> = {
  'a silent connection': ({ url }) => RawPeer.connect(url),
  'an incomplete handshake': async ({ url }) => {
    const peer = await RawPeer.connect(url);
    peer.socket.write('GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr');
  },
  'a plain request with an incomplete body': async ({ url }) => {
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
    it.each(Object.entries(situations))(
      '[S16] app.close() resolves with %s',
      (_what, arrange) => closes(port, arrange),
      8_000,
    );
  });

  describe.each([0, 'app'] as const)('port %j', (port) => {
    it.each(Object.entries(nonUpgrades))(
      '[S16] app.close() resolves with %s',
      (_what, arrange) => closes(port, arrange),
      8_000,
    );
  });
});

describe.each(platforms)('An identity that cannot be used, on %s', (_name, platform) => {
  /** A guard that sets any value as the user's id. */
  const guardOf = (id: unknown) =>
    class OddGuard implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        setConnectionIdentity(context.switchToHttp().getRequest(), { user: { id: id as string } });
        return true;
      }
    };

  it('[L-1.11] a guard that sets a number as user id accepts that user under its decimal text', async () => {
    const { app, live, url } = await startLiveApp({ platform, guards: [guardOf(7)] });
    const client = await LiveTestClient.connect(url);
    expect(await client.next()).toMatchObject({ type: 'welcome', user: { id: '7' } });
    expect((await live.disconnectUser('7')).total).toBe(1);
    expect((await client.closed).code).toBe(4503);
    await expect.poll(() => app.get(ConnectionRegistry).size).toBe(0);
  });

  it.each([[1.5], ['x'.repeat(1_025)], [{}]])(
    '[L-1.10] a guard that sets %j as user id refuses the handshake and leaves nothing behind',
    async (id) => {
      const log = new LogRecorder();
      const { app, url } = await startLiveApp({
        platform,
        guards: [guardOf(id)],
        options: { maxConnections: 2, drainTimeoutMs: 200 },
        before: log.use,
      });
      for (let i = 0; i < 5; i++) expect((await refusalOf(url)).statusCode).toBe(503);
      expect(app.get(ConnectionRegistry).size).toBe(0);
      const [entry] = log.live('error') as { err: Error }[];
      expect(entry?.err.message).toContain('invalid user.id');
      await app.close();
    },
  );
});

describe.each(platforms)('A peer that cannot be registered, on %s', (_name, platform) => {
  it('[L-10.1] a peer that fails to be registered leaves nothing behind, and the application closes', async () => {
    const { app, url } = await startLiveApp({
      platform,
      options: { maxConnections: 2, maxConnectionsPerUser: 2, drainTimeoutMs: 200 },
    });
    const failing = vi.spyOn(app.get(Live).registry, 'add').mockImplementation(() => {
      throw new Error('cannot be added');
    });
    for (let i = 0; i < 5; i++) {
      const peer = await RawPeer.connect(url);
      peer.upgrade('/live', [authorization]);
      await peer.closed;
    }
    failing.mockRestore();
    await expect.poll(() => app.get(LiveServer).occupancy.connectionCount).toBe(0);
    expect((await LiveTestClient.connect(url, { token: 'ann' })).socket.readyState).toBe(1);
    const before = Date.now();
    await app.close();
    expect(Date.now() - before).toBeLessThan(5_000);
  });

  it('[L-10.1] an observer that throws neither blocks nor keeps connections, and counts stay correct', async () => {
    const { app, url } = await startLiveApp({
      platform,
      options: { maxConnections: 1, drainTimeoutMs: 200 },
    });
    const throws = (): never => {
      throw new Error('the observer failed');
    };
    app.get(LiveObservers).add({ opened: throws, closed: throws, inbound: throws, outbound: throws });
    for (let i = 0; i < 3; i++) {
      const client = await LiveTestClient.connect(url, { token: 'ann' });
      expect(await client.request({ type: 'ping', id: 1 })).toEqual({ type: 'pong', id: 1 });
      await client.close();
      await expect.poll(() => app.get(LiveServer).occupancy.connectionCount).toBe(0);
    }
    expect(app.get(ConnectionRegistry).size).toBe(0);
  });
});

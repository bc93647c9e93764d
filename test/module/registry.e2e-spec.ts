import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage } from '@nestjs/websockets';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectionRegistry,
  type LiveConnection,
  LiveHandlers,
  LiveModule,
  type LiveModuleOptions,
} from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { itOnSockets } from '../support/door.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { createHost } from './support/host-app.js';
import { LogRecorder } from './support/log-recorder.js';

/** A provider of the host that uses the registry. */
@Injectable()
class Support {
  constructor(readonly registry: ConnectionRegistry) {}
}

@LiveHandlers()
class SeesConnections {
  readonly seen: LiveConnection[] = [];

  @SubscribeMessage('look')
  look(@ConnectedSocket() connection: LiveConnection): void {
    this.seen.push(connection);
  }
}

const idOf = (client: LiveTestClient): string => String(client.transcript[0]?.['connectionId']);

describe.each(platforms)('ConnectionRegistry, on %s', (_name, platform) => {
  const start = async (options: LiveModuleOptions = {}, log = new LogRecorder()) => {
    const { app, url, live } = await startLiveApp({
      platform,
      options,
      providers: [OpenTopics, Support, SeesConnections],
      before: log.use,
    });
    const connect = async (token: string, headers: Record<string, string> = {}) => {
      const client = await LiveTestClient.connect(url, { token, headers });
      await client.next();
      return client;
    };
    return { app, live, connect, registry: app.get(Support).registry };
  };

  it('[S18] the registry is injectable, finds connections by id, user and topic, counts and iterates', async () => {
    const { registry, connect, live } = await start();
    const [ann, annToo, bob] = await Promise.all(['ann', 'ann', 'bob'].map((user) => connect(user)));
    if (!ann || !annToo || !bob) throw new Error('Not all are there');
    await ann.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    await bob.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    await bob.request({ type: 'subscribe', id: 2, topic: 'open/2' });
    const ids = (connections: Iterable<LiveConnection>): string[] =>
      [...connections].map(({ id }) => id).toSorted();
    const sorted = (...clients: LiveTestClient[]): string[] => clients.map(idOf).toSorted();
    expect(registry.get(idOf(bob))?.user).toEqual({ id: 'bob' });
    expect(registry.get('nobody')).toBeUndefined();
    expect(ids(registry.ofUser('ann'))).toEqual(sorted(ann, annToo));
    expect(ids(registry.ofUser('nobody'))).toEqual([]);
    expect(ids(registry.ofTopic('open/1'))).toEqual(sorted(ann, bob));
    expect(ids(registry.ofTopic('open/3'))).toEqual([]);
    expect(ids(registry)).toEqual(sorted(ann, annToo, bob));
    expect([registry.size, registry.userCount]).toEqual([3, 2]);
    expect(live.stats()).toMatchObject({ connections: 3, users: 2, topics: 2, subscriptions: 3 });
    expect(registry.get(idOf(bob))?.topics).toEqual(['open/1', 'open/2']);
  });

  it('[S18] all counts return to exactly zero after every client has left', async () => {
    const { registry, connect, live } = await start();
    const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => connect(`user-${String(i % 3)}`)));
    for (const [i, client] of clients.entries()) {
      await client.request({ type: 'subscribe', id: 1, topic: `open/${String(i % 4)}` });
    }
    expect([registry.size, registry.userCount]).toEqual([20, 3]);
    await Promise.all(clients.map((client, i) => (i % 2 ? client.close() : client.socket.terminate())));
    await expect.poll(() => registry.size).toBe(0);
    expect(live.stats()).toMatchObject({ connections: 0, users: 0, subscriptions: 0, queuedBytes: 0 });
    await expect.poll(() => live.stats().topics).toBe(0);
    expect([...registry, ...registry.ofUser('user-0'), ...registry.ofTopic('open/0')]).toEqual([]);
  });

  it('[S18] disconnect() closes one connection by its id, and every connection of a user', async () => {
    const { registry, connect } = await start();
    const [ann, annToo, bob] = [await connect('ann'), await connect('ann'), await connect('bob')];
    expect(registry.disconnect(idOf(bob))).toBe(1);
    expect(await bob.closed).toEqual({ code: 4503, reason: 'disconnected by the application' });
    expect(registry.disconnect('ann', 4100, 'come back in a moment')).toBe(2);
    const end = { code: 4100, reason: 'come back in a moment' };
    expect(await Promise.all([ann.closed, annToo.closed])).toEqual([end, end]);
    await expect.poll(() => registry.size).toBe(0);
    expect(registry.disconnect('ann')).toBe(0);
  });

  it('[L-10.4] disconnect() cuts a reason that is too long between characters', async () => {
    const { registry, connect } = await start();
    const client = await connect('ann');
    registry.disconnect('ann', 4100, 'ä'.repeat(100));
    expect(await client.closed).toEqual({ code: 4100, reason: 'ä'.repeat(61) });
  });

  it('[S5] a connection has its id, user, address, cookies and opening time', async () => {
    const { registry, connect } = await start();
    const before = Date.now();
    const client = await connect('ann', { cookie: 'sid=1; theme=dark' });
    const connection = registry.get(idOf(client));
    expect(connection).toMatchObject({
      id: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ) as string,
      user: { id: 'ann' },
      remoteAddr: '127.0.0.1',
      cookieHeader: 'sid=1; theme=dark',
      open: true,
      topics: [],
    });
    expect(connection?.openedAt).toBeGreaterThanOrEqual(before);
    expect(connection?.openedAt).toBeLessThanOrEqual(Date.now());
    expect(connection?.lastSeenAt).toBe(connection?.openedAt);
    expect(registry.get(idOf(await connect('bob')))?.cookieHeader).toBeUndefined();
  });

  itOnSockets('[S5] the address of a peer on a Unix socket is "unknown"', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'live-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const app = await createHost(platform, {
      imports: [LiveModule.forRoot({ port: 'app', guards: [BearerIsUser] })],
      providers: [OpenTopics],
    });
    const path = join(folder, 'app.sock');
    await app.listen(path);
    const client = await LiveTestClient.connect(`ws+unix://${path}:/live`, { token: 'ann' });
    await client.next();
    expect(app.get(ConnectionRegistry).get(idOf(client))?.remoteAddr).toBe('unknown');
  });

  it('[S6] handlers and registry see the same LiveConnection object', async () => {
    const { app, registry, connect } = await start();
    const client = await connect('ann');
    client.send({ type: 'look' });
    await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    const { seen } = app.get(SeesConnections);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBe(registry.get(idOf(client)));
    expect(seen[0]).toBe(registry.ofUser('ann')[0]);
    expect(seen[0]).toBe(registry.ofTopic('open/1')[0]);
  });

  it('[S10] lastSeenAt is updated by every message, valid or not', async () => {
    const { registry, connect } = await start();
    const client = await connect('ann');
    const lastSeenAt = (): number => registry.get(idOf(client))?.lastSeenAt ?? 0;
    for (const message of ['{"type":"ping"}', 'no JSON', '{"type":"nobody handles this"}']) {
      const before = lastSeenAt();
      await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(before + 1);
      client.send(message);
      await client.next();
      expect(lastSeenAt()).toBeGreaterThan(before);
    }
  });

  it('[S10] lastSeenAt is updated by every pong', async () => {
    const { registry, connect } = await start({ pingIntervalMs: 20 });
    const client = await connect('ann');
    const connection = registry.get(idOf(client));
    const { openedAt } = connection ?? {};
    await expect.poll(() => connection?.lastSeenAt).toBeGreaterThan(openedAt ?? Infinity);
    expect(client.transcript).toHaveLength(1);
  });

  // A stream has no close code of its client [L-12.6].
  itOnSockets(
    '[S14] onClose is called once after a connection has left the registry, with code and reason',
    async () => {
      const closed: unknown[] = [];
      let registry: ConnectionRegistry | undefined;
      const onClose: LiveModuleOptions['onClose'] = ({ user }, code, reason) =>
        closed.push([user?.id, code, reason, registry?.size]);
      const log = new LogRecorder();
      const live = await start({ onClose }, log);
      ({ registry } = live);
      const client = await live.connect('ann');
      client.socket.close(4_000, 'bye');
      await expect.poll(() => closed).toEqual([['ann', 4_000, 'bye', 0]]);
      (await live.connect('bob')).socket.terminate();
      await expect.poll(() => closed).toHaveLength(2);
      expect(closed[1]).toEqual(['bob', 1006, '', 0]);
      await live.connect('cid');
      live.registry.disconnect('cid');
      await expect.poll(() => closed).toHaveLength(3);
      expect(closed[2]).toEqual(['cid', 4503, 'disconnected by the application', 0]);
      expect(log.live('debug')).toContainEqual({
        msg: 'connection closed',
        connectionId: idOf(client),
        code: 4_000,
        reason: 'bye',
      });
    },
  );

  const failure = new Error('from the host');

  it.each([
    [
      'throws',
      () => {
        throw failure;
      },
    ],
    [
      'rejects',
      async () => {
        await Promise.resolve();
        throw failure;
      },
    ],
  ])('[S14] an onClose that %s is logged and affects no other connection', async (_how, onClose) => {
    const log = new LogRecorder();
    const { registry, connect } = await start({ onClose }, log);
    const [client, other] = [await connect('ann'), await connect('bob')];
    await client.close();
    await expect.poll(() => log.live('error')).toHaveLength(1);
    expect(log.live('error')).toEqual([
      { msg: 'failed: calling onClose', connectionId: idOf(client), err: failure },
    ]);
    expect(registry.size).toBe(1);
    expect(await other.request({ type: 'ping', id: 1 })).toEqual({ type: 'pong', id: 1 });
  });
});

import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { ConnectionRegistry, setConnectionIdentity } from '../src/index.js';
import { LiveServer } from '../src/nest/server/live.server.js';
import { LiveMetrics, LiveMetricsModule } from '../src/nest/metrics/index.js';
import { HandshakeRefused, LiveTestClient } from '../src/testing/index.js';
import { deferred } from './support/deferred.js';
import { type LiveAppOptions, type Platform, platforms, startLiveApp } from './support/live-app.js';

/** What the guard below saw. */
const seen = { asked: 0, ips: [] as unknown[], decision: Promise.resolve() };

/** Accepts the user named in the header after a delay, refuses `nobody`, and throws for `crash`. */
@Injectable()
class SlowName implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; ip: unknown }>();
    seen.asked += 1;
    seen.ips.push(request.ip);
    await sleep(20);
    await seen.decision;
    if (request.headers['x-name'] === 'nobody') throw new UnauthorizedException();
    if (request.headers['x-name'] === 'crash') throw new TypeError('a bug');
    setConnectionIdentity(request, { user: { id: request.headers['x-name'] ?? 'ann' } });
    return true;
  }
}

async function start(platform: Platform, options: LiveAppOptions['options'] = {}) {
  seen.asked = 0;
  seen.ips = [];
  seen.decision = Promise.resolve();
  const started = await startLiveApp({ platform, options, guards: [SlowName], imports: [LiveMetricsModule] });
  const { url, app } = started;
  const metrics = app.get(LiveMetrics, { strict: false });
  return {
    ...started,
    server: app.get(LiveServer),
    registry: app.get(ConnectionRegistry),
    /** Connects as `name`, optionally from the address that a proxy reports. */
    come: (name: string, from?: string) =>
      LiveTestClient.connect(url, {
        headers: { 'x-name': name, ...(from !== undefined && { 'x-forwarded-for': from }) },
      }),
    counted: async (result: string): Promise<number> =>
      Number(new RegExp(`handshakes_total\\{result="${result}"\\} (\\d+)`).exec(await metrics.text())?.[1]),
  };
}

type Come = (name: string, from?: string) => Promise<LiveTestClient>;

/** How a handshake was answered: 101, or status, Retry-After and message. */
async function answerTo(handshake: Promise<LiveTestClient>): Promise<unknown> {
  try {
    await handshake;
    return 101;
  } catch (error) {
    if (!(error instanceof HandshakeRefused)) throw error;
    const { message } = error.body as { message: string };
    return [error.statusCode, error.headers['retry-after'], message];
  }
}

const full = [503, '5', 'The server is full'];
const perUser = [429, '5', 'Too many connections by this user'];
const perAddress = [429, '5', 'Too many connections from this address'];
const pendingPerAddress = [429, '1', 'Too many handshakes from this address are pending'];

async function leave(client: LiveTestClient | undefined, registry: ConnectionRegistry): Promise<void> {
  const before = registry.size;
  await client?.close();
  while (registry.size === before) await sleep(1);
}

describe.each(platforms)('9. How many may connect, on %s', (_name, platform) => {
  it.each<
    [string, LiveAppOptions['options'], unknown, string, (come: Come, i: number) => Promise<LiveTestClient>]
  >([
    [
      'connections in total',
      { maxConnections: 3 },
      full,
      'max-connections',
      (come, i) => come(`user-${String(i)}`),
    ],
    [
      'connections of one user',
      { maxConnectionsPerUser: 3 },
      perUser,
      'max-connections-per-user',
      (come) => come('ann'),
    ],
    [
      'connections of one address',
      { maxConnectionsPerAddress: 3 },
      perAddress,
      'max-connections-per-address',
      (come, i) => come(`user-${String(i)}`),
    ],
  ])(
    '[L-9.13] the limit of %s is exact, and a connection that leaves frees a place',
    async (_what, options, refusal, result, one) => {
      const { come, counted, registry } = await start(platform, options);
      const clients: LiveTestClient[] = [];
      for (let i = 0; i < 3; i++) clients.push(await one(come, i));
      expect(await answerTo(one(come, 3))).toEqual(refusal);
      expect(await answerTo(one(come, 4))).toEqual(refusal);
      expect(await counted(result)).toBe(2);
      await leave(clients[1], registry);
      expect(await answerTo(one(come, 5))).toBe(101);
      expect(await answerTo(one(come, 6))).toEqual(refusal);
    },
  );

  it.each([
    [{ maxConnections: 5 }, full],
    [{ maxConnectionsPerUser: 5 }, perUser],
    [{ maxConnectionsPerAddress: 5 }, perAddress],
  ])('[L-9.13] concurrent handshakes do not exceed %j', async (options, refusal) => {
    const { come, registry, server } = await start(platform, options);
    const answers = await Promise.all(Array.from({ length: 40 }, () => answerTo(come('ann'))));
    expect(answers.filter((answer) => answer === 101).length).toBe(5);
    expect(answers.filter((answer) => answer !== 101)).toEqual(Array.from({ length: 35 }, () => refusal));
    expect([registry.size, server.pendingHandshakes]).toEqual([5, 0]);
  });

  it('[L-9.13] pending handshakes of one address are limited', async () => {
    const { come, counted, server } = await start(platform, {
      maxPendingUpgradesPerAddress: 3,
      trustedProxies: 1,
    });
    const { promise, resolve } = deferred();
    seen.decision = promise;
    const some = [1, 2, 3].map((i) => answerTo(come(`user-${String(i)}`, '203.0.113.1')));
    while (server.pendingHandshakes < 3) await sleep(1);
    expect(await answerTo(come('user-4', '203.0.113.1'))).toEqual(pendingPerAddress);
    expect(await counted('max-pending-per-address')).toBe(1);
    expect(seen.asked).toBe(3);
    const elsewhere = answerTo(come('user-5', '203.0.113.2'));
    while (server.pendingHandshakes < 4) await sleep(1);
    resolve();
    expect(await elsewhere).toBe(101);
    expect(await Promise.all(some)).toEqual([101, 101, 101]);
    expect(await answerTo(come('user-6', '203.0.113.1'))).toBe(101);
  });

  it('[L-9.13] handshakes that a guard refused or crashed on leave no count behind', async () => {
    const limits = { maxConnections: 2, maxConnectionsPerUser: 2, maxConnectionsPerAddress: 2 };
    const { come, server, registry } = await start(platform, { ...limits, maxPendingUpgradesPerAddress: 2 });
    for (let i = 0; i < 4; i++) {
      const answers = await Promise.all(['nobody', 'crash'].map((name) => answerTo(come(name))));
      expect(answers).toEqual([
        [401, undefined, 'Unauthorized'],
        [503, '1', 'The handshake could not be decided'],
      ]);
      const { remembered, connectionCount, pendingCount } = server.occupancy;
      expect([remembered, connectionCount, pendingCount]).toEqual([0, 0, 0]);
    }
    const clients = [await come('ann'), await come('ann')];
    expect(await answerTo(come('ann'))).toEqual(full);
    for (const client of clients) await leave(client, registry);
    const { remembered, connectionCount, pendingCount } = server.occupancy;
    expect([remembered, connectionCount, pendingCount]).toEqual([0, 0, 0]);
  });

  it('[L-9.13] guards are not called for a handshake over the total or the address limit', async () => {
    for (const options of [{ maxConnections: 1 }, { maxConnectionsPerAddress: 1 }]) {
      const { come } = await start(platform, options);
      await come('ann');
      for (let i = 0; i < 20; i++) await answerTo(come('bob'));
      expect(seen.asked).toBe(1);
    }
  });

  it('[L-9.13] IPv6 addresses count by their /64', async () => {
    const { come } = await start(platform, { maxConnectionsPerAddress: 2, trustedProxies: 1 });
    const answers: unknown[] = [];
    for (const from of ['2001:db8:1:2::1', '2001:db8:1:2:ffff::2', '2001:db8:1:2:3:4:5:6', '2001:db8:1:3::1'])
      answers.push(await answerTo(come('ann', from)));
    expect(answers).toEqual([101, 101, perAddress, 101]);
  });

  it('[L-9.14] X-Forwarded-For from an untrusted peer is ignored', async () => {
    const { come, registry } = await start(platform, { maxConnectionsPerAddress: 1 });
    await come('ann', '203.0.113.1');
    expect(await answerTo(come('bob', '203.0.113.2'))).toEqual(perAddress);
    expect([...registry].map(({ remoteAddr }) => remoteAddr)).toEqual(['127.0.0.1']);
    expect(seen.ips).toEqual(['127.0.0.1']);
  });

  it('[L-9.14] limits, guards and connections see the client behind trusted proxies', async () => {
    const { come, registry } = await start(platform, {
      maxConnectionsPerAddress: 1,
      trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'],
    });
    const list = (client: string): string => `198.51.100.66, ${client}, 10.1.1.1`;
    await come('ann', list('203.0.113.1'));
    await come('bob', list('203.0.113.2'));
    expect(await answerTo(come('eve', list('203.0.113.1')))).toEqual(perAddress);
    expect([...registry].map(({ remoteAddr }) => remoteAddr)).toEqual(['203.0.113.1', '203.0.113.2']);
    expect(seen.ips).toEqual(['203.0.113.1', '203.0.113.2']);
  });

  it('[L-9.13] all counts return to zero after a churn of all kinds', async () => {
    const { come, registry, server, url } = await start(platform, {
      maxConnections: 30,
      maxConnectionsPerUser: 6,
      maxConnectionsPerAddress: 8,
      maxPendingUpgradesPerAddress: 5,
      trustedProxies: 1,
    });
    const { port } = new URL(url);
    const one = async (i: number): Promise<void> => {
      const from = i % 3 === 0 ? `2001:db8::${String(i)}` : `203.0.113.${String(i % 7)}`;
      if (i % 11 === 0) {
        // This client leaves in the middle of its handshake.
        const socket = connectTcp(Number(port), '127.0.0.1');
        socket.on('error', () => {});
        socket.write(
          `GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: ${from}\r\n` +
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
        );
        await sleep(i % 25);
        socket.resetAndDestroy();
        return;
      }
      const client = await come(`user-${String(i % 5)}`, from).catch(() => undefined);
      if (client === undefined) return;
      if (i % 2 === 0) client.socket.terminate();
      else if (i % 5 === 0) registry.disconnect([...registry][0]?.id ?? '');
      await client.close();
    };
    for (let round = 0; round < 6; round++)
      await Promise.all(Array.from({ length: 40 }, (_, i) => one(round * 40 + i)));
    while (registry.size > 0 || server.pendingHandshakes > 0) await sleep(1);
    const { remembered, connectionCount, pendingCount } = server.occupancy;
    expect({ remembered, connectionCount, pendingCount }).toEqual({
      remembered: 0,
      connectionCount: 0,
      pendingCount: 0,
    });
  });
});

import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { LiveTestClient } from '../../src/testing/index.js';
import { sleep } from '../brokers/support/waiting.js';
import { type InstancePorts, startNginx } from '../support/documented-proxies.js';
import { startLiveApp } from '../support/live-app.js';
import { describeWith, proxies, redisServer } from '../support/programs.js';
import { handshake, RawPeer } from '../support/raw-peer.js';
import { freePort, RedisServer } from '../support/redis-server.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';

const secret = 'a-secret-of-32-bytes-for-this-test-alone';
const key = 'the-publish-key-of-this-test';

const withNginx = describeWith(proxies.nginx);

/** Returns the URL of an nginx with the example's configuration in front of these instances. */
async function nginxBefore(
  instances: readonly [InstancePorts, InstancePorts],
  change?: (conf: string) => string,
): Promise<string> {
  const port = await freePort();
  await startNginx(port, instances, change);
  return `http://127.0.0.1:${String(port)}`;
}

const free = async (): Promise<InstancePorts> => ({ http: await freePort(), sockets: await freePort() });

function token(): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const unsigned = `${part({ alg: 'HS256' })}.${part({ sub: 'ann', exp, live: { subscribe: ['**'] } })}`;
  return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
}

interface Client {
  readonly client: LiveTestClient;
  readonly instance: unknown;
}

async function connect(base: string): Promise<Client> {
  const url = `${base.replace('http', 'ws')}/live`;
  const client = await LiveTestClient.connect(url, {
    protocols: ['live.v1', `bearer.${token()}`],
    timeoutMs: 10_000,
  });
  const { instanceId } = await client.nextOf('welcome');
  await client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' });
  return { client, instance: instanceId };
}

const publish = (base: string, data: unknown): Promise<Response> =>
  fetch(`${base}/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'fleet/7', data }),
  });

/** Replaces an instance: answers every handshake with the status from `statusOf`. */
async function startBackend(statusOf: () => 101 | 503): Promise<number> {
  const server = createServer();
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.end(
      statusOf() === 503
        ? 'HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{"own":1}'
        : 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

withNginx('examples/compose: nginx.conf alone', () => {
  it('a 503 of both instances reaches the client unchanged and does not lock out other clients', async () => {
    let status: 101 | 503 = 503;
    const instance = async () => ({ http: await freePort(), sockets: await startBackend(() => status) });
    const base = await nginxBefore([await instance(), await instance()]);
    const { port } = new URL(base);
    for (let n = 0; n < 4; n++) {
      const refused = await RawPeer.connect(Number(port));
      await refused.send(handshake()).until(({ text }) => /\r\n\r\n.*\}$/s.test(text));
      expect([refused.status, refused.afterHead.toString()]).toEqual([503, '{"own":1}']);
      expect(refused.text).toContain('Retry-After: 1');
      refused.socket.destroy();
    }
    status = 101;
    const next = await RawPeer.connect(Number(port));
    expect(await next.send(handshake()).answered()).toBe(101);
    next.socket.destroy();
  });
});

withNginx('examples/compose: nginx.conf without its lines for Upgrade', () => {
  it('[L-1.8] clients behind an nginx that does not pass Upgrade get 426, also over HTTP/1.0', async () => {
    const { url } = await startLiveApp();
    const own = { http: await freePort(), sockets: Number(new URL(url).port) };
    for (const lines of [
      /set_header (?:Upgrade|Connection)/,
      /(?:set_header (?:Upgrade|Connection)|http_version)/,
    ]) {
      const lost = new RegExp(`^ *proxy_${lines.source} .*$`, 'gm');
      const base = await nginxBefore([own, own], (conf) => conf.replaceAll(lost, ''));
      const peer = await RawPeer.connect(Number(new URL(base).port));
      await peer.send(handshake()).until(({ text }) => text.endsWith('}'));
      expect([peer.status, JSON.parse(peer.afterHead.toString())]).toMatchObject([
        426,
        { message: 'The Upgrade header is missing: a proxy in front must pass Upgrade and Connection' },
      ]);
      peer.socket.destroy();
    }
  });
});

withNginx('examples/compose: two instances, Redis and nginx', () => {
  describeWith(redisServer)('behind its nginx.conf', () => {
    it('publications of either instance reach the clients of both, and new clients reach the remaining instance', async () => {
      const redis = await RedisServer.start();
      const servers: Record<string, SpawnedServer> = {};
      const ports: Record<'one' | 'two', InstancePorts> = { one: await free(), two: await free() };
      for (const [name, own] of Object.entries(ports)) {
        servers[name] = spawnServer({
          NODE_ENV: 'production',
          INSTANCE_ID: name,
          LIVE_JWT_SECRET: secret,
          LIVE_PUBLISH_KEY: key,
          LIVE_BROKER_URL: redis.url,
          LIVE_INGEST: 'true',
          LIVE_TRUSTED_PROXIES: '1',
          LIVE_WS_PORT: String(own.sockets),
          HTTP_PORT: String(own.http),
        });
      }
      for (const [name, { http }] of Object.entries(ports)) {
        await servers[name]?.logged('listening');
        while ((await fetch(`http://127.0.0.1:${String(http)}/health/ready`)).status !== 200) await sleep(20);
      }
      const base = await nginxBefore([ports.one, ports.two]);
      const clients = [await connect(base), await connect(base)];
      expect(clients.map(({ instance }) => instance).toSorted()).toEqual(['one', 'two']);
      // nginx alternates between the instances.
      expect([(await publish(base, 1)).status, (await publish(base, 2)).status]).toEqual([202, 202]);
      await redis.run('XADD', 'live:in', '*', 'topic', 'fleet/7', 'data', '3');
      for (const { client } of clients)
        for (const data of [1, 2, 3])
          expect(await client.nextOf('event')).toMatchObject({ offset: data, data });

      expect((await fetch(`${base}/metrics`)).status).toBe(404);
      servers['one']?.kill('SIGTERM');
      const left = clients.find(({ instance }) => instance === 'one')?.client;
      expect(await left?.closed).toMatchObject({ code: 1001 });
      // Immediately, while the stopping instance may still answer 503.
      for (let n = 0; n < 3; n++) {
        const { client, instance } = await connect(base);
        expect(instance).toBe('two');
        void client.close();
      }
      for (const { client } of clients) void client.close();
    }, 60_000);
  });
});

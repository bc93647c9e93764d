import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LiveTestClient } from '../src/testing/index.js';
import { pageCookie, type RunningServer, spawnServer, startServer } from './support/spawned-server.js';

async function connect({ http, sockets }: RunningServer): Promise<LiveTestClient> {
  return LiveTestClient.connect(sockets, { headers: { cookie: await pageCookie(http) } });
}

/** Polls the health check until it answers with this status. */
async function becomes(status: number, url: string): Promise<void> {
  while ((await fetch(url)).status !== status);
}

describe('Settings of the standalone server', () => {
  it('[S17] the server obeys INSTANCE_ID, LIVE_WS_PATH and LIVE_WS_PING_INTERVAL_MS', async () => {
    const running = await startServer({
      INSTANCE_ID: 'node-1',
      LIVE_WS_PATH: '/sockets/v1',
      LIVE_WS_PING_INTERVAL_MS: '50',
    });
    expect(new URL(running.sockets).pathname).toBe('/sockets/v1');
    const client = await connect(running);
    const pinged = new Promise<boolean>((done) => {
      client.socket.on('ping', () => done(true));
    });
    expect(await client.next()).toMatchObject({ instanceId: 'node-1', limits: { pingIntervalMs: 50 } });
    expect(await pinged).toBe(true);
    expect(running.server.log.every(({ instanceId }) => instanceId === 'node-1')).toBe(true);
    await client.close();
  });

  it('[S17] the server obeys LIVE_WS_HOST and LIVE_WS_PORT, HTTP_HOST and HTTP_PORT', async () => {
    const [sockets, http] = [await freePort(), await freePort()].map(String);
    const running = await startServer({
      LIVE_WS_HOST: '127.0.0.2',
      LIVE_WS_PORT: sockets ?? '',
      HTTP_HOST: 'localhost',
      HTTP_PORT: http ?? '',
    });
    expect(running.sockets).toBe(`ws://127.0.0.2:${sockets ?? ''}/live`);
    expect((await fetch(`http://localhost:${http ?? ''}/health/ready`)).status).toBe(200);
    await (await connect(running)).close();
  });

  it('[S4] the server obeys LIVE_WS_SOCKET_PATH, and its page connects through the proxy it came from', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'live-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'live.sock');
    const running = await startServer({ LIVE_WS_SOCKET_PATH: path, LIVE_WS_PORT: '8081' });
    expect(running.sockets).toBe(`ws+unix:${path}:/live`);
    await (await connect(running)).close();
    const config = (await (await fetch(`${running.http}/page/config.json`)).json()) as object;
    expect(config).toMatchObject({ socketUrl: `${running.http.replace('http', 'ws')}/live` });
    const second = spawnServer({ LIVE_WS_SOCKET_PATH: join(path, 'none'), LIVE_WS_PORT: '8081' });
    expect(await second.exit).toBe(1);
    expect(second.stderr).toMatch(/^nestjs-live cannot start: .* LIVE_WS_SOCKET_PATH\.\n$/);
  });

  it('[S17] the server obeys LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES', async () => {
    const running = await startServer({
      LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES: '4096',
      LIVE_PUBLISH_KEY: 'k',
    });
    const client = await connect(running);
    await client.request({ type: 'subscribe', id: 1, topic: 'chat/big' });
    client.socket.pause();
    const body = JSON.stringify({ topic: 'chat/big', data: 'x'.repeat(1_000_000) });
    const headers = { authorization: 'Bearer k', 'content-type': 'application/json' };
    // More than the kernel buffers.
    for (let i = 0; i < 12; i++) await fetch(`${running.http}/publish`, { method: 'POST', headers, body });
    client.socket.resume();
    expect(await client.closed).toEqual({ code: 1008, reason: 'back-pressure threshold exceeded' });
  });

  it('[S17] the server obeys LIVE_WS_PONG_TIMEOUT_MS', async () => {
    const running = await startServer({ LIVE_WS_PING_INTERVAL_MS: '50', LIVE_WS_PONG_TIMEOUT_MS: '100' });
    const client = await connect(running);
    client.socket.pause();
    const ended = new Promise<void>((done) => {
      client.socket.on('close', () => done());
    });
    const connections = async (): Promise<string> => (await fetch(`${running.http}/metrics`)).text();
    while (!/^processor_live_connections 0$/m.test(await connections()));
    client.socket.resume();
    await ended;
    expect(await client.closed).toMatchObject({ code: 1006 });
  });

  it('[S17] the server obeys LIVE_MAX_VERSION_AHEAD_MS', async () => {
    const key = 'a-publish-key-for-this-test';
    const { http } = await startServer({ LIVE_MAX_VERSION_AHEAD_MS: '1000', LIVE_PUBLISH_KEY: key });
    const publish = (version: number) =>
      fetch(`${http}/publish`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ topic: 'fleet/7', key: 'van-1', data: 1, version }),
      });
    const ahead = await publish(Date.now() + 3_600_000);
    expect([ahead.status, (await publish(Date.now())).status]).toEqual([400, 202]);
    expect(await ahead.json()).toMatchObject({
      message: expect.stringContaining("ahead of the server's clock"),
    });
  });

  it('[S17] the server obeys LIVE_HISTORY_SIZE', async () => {
    const running = await startServer({ LIVE_HISTORY_SIZE: '2' });
    const client = await connect(running);
    const positions: unknown[] = [];
    for (let id = 1; id <= 4; id++) {
      const { epoch, offset } = await client.request({ type: 'publish', id, topic: 'chat/h', data: id });
      positions.push({ epoch, offset });
    }
    const topic = 'chat/h';
    const near = await client.request({ type: 'subscribe', id: 'near', topic, since: positions[1] });
    const far = await client.request({ type: 'subscribe', id: 'far', topic, since: positions[0] });
    expect([near['recovered'], far['recovered']]).toEqual([true, false]);
    await client.close();
  });

  it.each([
    ['LIVE_WS_PORT', 'abc', '"abc", but must be a whole number from 0 to 65535'],
    ['LIVE_WS_PORT', '65536', '"65536", but must be a whole number from 0 to 65535'],
    ['LIVE_WS_PORT', '', 'empty, but must be a whole number'],
    ['LIVE_WS_HOST', 'a b', '"a b", but must be an address or a host name'],
    ['INSTANCE_ID', 'a b', '"a b", but must be 1 to 128 of'],
    ['LIVE_WS_PING_INTERVAL_MS', '-1', '"-1", but must be a whole number'],
    ['LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES', '1e6', '"1e6", but must be a whole number'],
    ['LIVE_WS_DRAIN_TIMEOUT_MS', '1.5', '"1.5", but must be a whole number'],
  ])('[S17] the server does not start with %s=%s', async (name, value, words) => {
    const server = spawnServer({ [name]: value });
    expect(await server.exit).toBe(1);
    expect(server.stderr).toContain(`${name} is ${words}`);
    expect(server.stderr).not.toMatch(/^\s+at /m);
    expect(server.stdout).toBe('');
  });

  it('[S17] the server names all invalid settings in one message, and no secret', async () => {
    const server = spawnServer({ LIVE_JWT_SECRET: 'short-canary', HTTP_PORT: 'x', LOG_LEVEL: 'loud' });
    expect(await server.exit).toBe(1);
    expect(server.stderr).toContain('3 settings are wrong');
    expect(server.stderr).toContain('LIVE_JWT_SECRET is a secret of 12 bytes, but must be at least 32 bytes');
    expect(server.stderr).toContain('HTTP_PORT is "x"');
    expect(server.stderr).toContain('LOG_LEVEL is "loud", but must be one of fatal, error');
    expect(server.stderr).not.toContain('canary');
  });

  it('[S17] the server warns about an unknown variable', async () => {
    const { server } = await startServer({ LIVE_WS_PROT: '1' });
    expect(
      (
        await server.logged(
          'LIVE_WS_PROT is not a setting of this server and has no effect: did you mean LIVE_WS_PORT?',
        )
      )['level'],
    ).toBe(40);
  });
});

describe('the standalone server as a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '[S16] the standalone server drains at %s and exits with 0',
    async (signal) => {
      const running = await startServer();
      const client = await connect(running);
      running.server.kill(signal);
      expect(await client.closed).toEqual({ code: 1001, reason: 'server shutting down' });
      expect(await running.server.exit).toBe(0);
      expect(running.server.log.at(-1)).toMatchObject({ msg: 'stopped' });
    },
  );

  it('[L-10.1] the standalone server is live and not ready while it drains, until LIVE_WS_DRAIN_TIMEOUT_MS', async () => {
    const running = await startServer({ LIVE_WS_DRAIN_TIMEOUT_MS: '1500' });
    const client = await connect(running);
    client.socket.pause();
    running.server.kill('SIGTERM');
    await becomes(503, `${running.http}/health/ready`);
    const live = await fetch(`${running.http}/health/live`);
    expect([live.status, await live.json()]).toMatchObject([200, { status: 'ok' }]);
    expect((await fetch(`${running.http}/metrics`)).status).toBe(200);
    expect(await running.server.exit).toBe(0);
    expect(await running.server.logged('drained')).toMatchObject({ terminated: 1 });
  });

  it('a second signal ends the standalone server at once', async () => {
    const running = await startServer({ LIVE_WS_DRAIN_TIMEOUT_MS: '60000' });
    const client = await connect(running);
    client.socket.pause();
    running.server.kill('SIGTERM');
    await running.server.logged('stopping');
    running.server.kill('SIGTERM');
    expect(await running.server.exit).toBe(143);
  });

  it.each([
    ['HTTP_PORT', 'HTTP_HOST and HTTP_PORT'],
    ['LIVE_WS_PORT', 'LIVE_WS_HOST and LIVE_WS_PORT'],
  ])('the standalone server says in one line that %s is in use', async (name, names) => {
    const other = createServer();
    await new Promise<void>((done) => {
      other.listen(0, '127.0.0.1', done);
    });
    onTestFinished(() => void other.close());
    const port = String((other.address() as AddressInfo).port);
    const server = spawnServer({ [name]: port });
    expect(await server.exit).toBe(1);
    expect(server.stderr).toBe(
      `nestjs-live cannot start: 127.0.0.1:${port} (${names}) is in use by another process. Choose another port.\n`,
    );
    expect(server.stdout).toBe('');
  });

  it('--help prints the settings, --version the version, and any other argument is refused', async () => {
    const [help, version, other] = ['--help', '--version', '--port=1'].map((arg) => spawnServer({}, [arg]));
    expect(await help?.exit).toBe(0);
    expect(help?.stdout).toMatch(
      / {2}LIVE_WS_PORT\n.*\n {6}Default: 8081\. Allowed: a whole number from 0 to 65535\./,
    );
    expect(await version?.exit).toBe(0);
    expect(version?.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await other?.exit).toBe(2);
    expect(other?.stderr).toContain('Unknown argument "--port=1"');
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => {
    probe.listen(0, '127.0.0.1', done);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((done) => {
    probe.close(() => done());
  });
  return port;
}

import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientFrame, handshake, RawPeer } from '../../test/support/raw-peer.js';
import { TestUpgradeServer } from '../../test/support/test-upgrade-server.js';
import { type HttpLimits, LiveHttpServer } from './live-http-server.js';

const short: HttpLimits = {
  headersTimeout: 200,
  requestTimeout: 200,
  connectionsCheckingInterval: 50,
  keepAliveTimeout: 100,
};

const get = 'GET /live HTTP/1.1\r\nHost: a\r\n\r\n';

describe('LiveHttpServer: plain requests', () => {
  it('[L-1.1] a plain request is answered with 404 as JSON, on any path and with any method', async () => {
    const test = await TestUpgradeServer.start();
    for (const line of ['GET /live', 'GET /', 'POST /live', 'OPTIONS *', 'DELETE //', 'GET http://a/live']) {
      const peer = await test.connect();
      await peer.send(`${line} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`).closed;
      expect([line, peer.status]).toEqual([line, 404]);
      expect(JSON.parse(peer.afterHead.toString())).toEqual({
        statusCode: 404,
        error: 'Not Found',
        message: 'Only WebSocket upgrades are served here',
      });
    }
  });

  it.each([
    'GET /live HTTP/1.2\r\nHost: a\r\n\r\n',
    'SING /live HTTP/1.1\r\nHost: a\r\n\r\n',
    '\x00\x01\x02\r\n\r\n',
  ])('[L-1.4] bytes that are not HTTP are answered with 400 as JSON: %j', async (bytes) => {
    const test = await TestUpgradeServer.start();
    const peer = await test.connect();
    await peer.send(bytes).closed;
    expect(peer.status).toBe(400);
    expect(JSON.parse(peer.afterHead.toString())).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      message: 'Not a valid HTTP/1.1 request',
    });
  });

  it('a request is answered even if its body is larger than the server reads', async () => {
    const test = await TestUpgradeServer.start();
    const peer = await test.connect();
    peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n`).send(Buffer.alloc(100_000));
    await peer.until(({ status }) => status === 404);
    peer.reset();
  });
});

describe('LiveHttpServer: slow and silent peers', () => {
  it.each([
    ['sends nothing', ''],
    ['sends half a line', 'GET /live HT'],
    ['sends half the headers', handshake().slice(0, -30)],
    ['sends half a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n'],
  ])('a peer that %s loses its socket', async (_what, text) => {
    const test = await TestUpgradeServer.start({ limits: short });
    const peer = await test.connect();
    if (text !== '') peer.send(text);
    const ms = await peer.closed;
    expect(ms).toBeGreaterThan(150);
    expect(ms).toBeLessThan(2_000);
    expect([0, 408]).toContain(peer.status);
  });

  it('a peer that drips its headers loses its socket, however steadily it sends', async () => {
    const test = await TestUpgradeServer.start({ limits: short });
    const peer = await test.connect();
    let at = 0;
    const text = handshake({ headers: { 'X-Long': 'x'.repeat(5_000) } });
    const drip = setInterval(() => peer.send(text.charAt(at++)), 10);
    const ms = await peer.closed;
    clearInterval(drip);
    expect(ms).toBeLessThan(2_000);
    expect(test.results).toEqual([]);
  });

  it('[L-1.4] a request that the HTTP parser rejects is reported with a reason', async () => {
    const test = await TestUpgradeServer.start({ limits: short });
    for (const text of [
      'GET /live HT',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      'SING / HTTP/1.1\r\n\r\n',
    ]) {
      await (await test.connect()).send(text).closed;
    }
    expect(test.unparsed).toEqual([
      'request-timeout: The request did not arrive in time',
      'headers-too-large: The headers are too large',
      'malformed: Not a valid HTTP/1.1 request',
    ]);
  });

  it('200 idle connections are all closed', async () => {
    const test = await TestUpgradeServer.start({ limits: short });
    const peers = await Promise.all(Array.from({ length: 200 }, () => test.connect()));
    for (const ms of await Promise.all(peers.map(({ closed }) => closed))) expect(ms).toBeLessThan(5_000);
  });

  it('neither a pending handshake nor a WebSocket has the time limit of requests', async () => {
    let allow = (): void => {};
    const authenticate = (): Promise<{ user: null }> =>
      new Promise((resolve) => {
        allow = () => resolve({ user: null });
      });
    const test = await TestUpgradeServer.start({ limits: short, authenticate });
    const idle = await test.connect();
    const peer = await test.connect();
    peer.send(handshake());
    await idle.closed;
    allow();
    expect(await peer.answered()).toBe(101);
    await (
      await test.connect()
    ).closed;
    peer.send(clientFrame('still there'));
    await test.until(() => test.received.length === 1);
    expect(test.received).toEqual(['still there']);
  });
});

describe('LiveHttpServer: requests before an upgrade on the same socket', () => {
  it.each([
    ['a GET', get],
    ['three GETs', get.repeat(3)],
    ['a keep-alive GET', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n'],
    ['a POST with a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'],
    ['a GET with Expect: 100-continue', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n'],
    ['a GET with an unknown Expect', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: nonsense\r\n\r\n'],
    ['a HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])(
    '[L-1.5] the server sends no HTTP after the 101 if %s precedes the upgrade in one write',
    async (_what, before) => {
      const test = await TestUpgradeServer.start();
      const peer = await test.connect();
      peer.send(`${before}${handshake()}`);
      await Promise.race([peer.closed, peer.until(({ text }) => text.includes(' 101 '))]);
      const [, after = ''] = peer.text.split(' 101 ');
      expect(after).not.toContain('HTTP/1.1');
      expect(peer.text).toMatch(/^HTTP\/1\.1 \d/);
      peer.reset();
    },
  );

  it('[L-1.4] a request behind a refused upgrade is ignored', async () => {
    const test = await TestUpgradeServer.start();
    const peer = await test.connect();
    peer.send(`${handshake({ headers: { 'Sec-WebSocket-Version': '7' } })}${get}`);
    await peer.closed;
    expect(peer.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 426']);
  });
});

describe('LiveHttpServer: listening and closing', () => {
  it('an error to listen names the port that is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    onTestFinished(() => {
      taken.close();
    });
    const { port } = taken.address() as AddressInfo;
    const server = new LiveHttpServer(() => {});
    await expect(server.listen(port, '127.0.0.1')).rejects.toThrow(
      `127.0.0.1:${String(port)}: the port is in use`,
    );
    await expect(new LiveHttpServer(() => {}).listen(0, '256.0.0.1')).rejects.toThrow(
      'Check "host" and "port"',
    );
  });

  it('a server with patience binds a port that is in use once it is free', async () => {
    const before = new LiveHttpServer(() => {});
    const { port } = await before.listen(0, '127.0.0.1');
    const server = new LiveHttpServer(() => {});
    onTestFinished(() => server.close());
    const listening = server.listen(port, '127.0.0.1', 5_000);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await before.close();
    expect(await listening).toMatchObject({ port });
    await expect(new LiveHttpServer(() => {}).listen(port, '127.0.0.1', 150)).rejects.toThrow('in use');
  });

  it('closing the server closes idle sockets at once and waits for WebSockets', async () => {
    const upgraded: Duplex[] = [];
    const server = new LiveHttpServer((_request, socket) => {
      upgraded.push(socket);
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 x\r\n\r\n');
    });
    const { port } = await server.listen(0, '127.0.0.1');
    const silent = await RawPeer.connect(port);
    const half = await RawPeer.connect(port);
    half.send('GET /li');
    const peer = await RawPeer.connect(port);
    await peer.send(handshake()).answered();
    const closing = server.close();
    await Promise.all([silent.closed, half.closed]);
    const first = await Promise.race([
      closing.then(() => 'closed'),
      new Promise((r) => setImmediate(r, 'waits')),
    ]);
    expect(first).toBe('waits');
    upgraded[0]?.destroy();
    await closing;
    await expect(RawPeer.connect(port)).rejects.toThrow('ECONNREFUSED');
  });
});

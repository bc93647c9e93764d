import { describe, expect, it } from 'vitest';
import { proxyHeaderV2 } from '../../test/support/proxy-header.js';
import { clientFrame, handshake } from '../../test/support/raw-peer.js';
import { TestUpgradeServer, type TestUpgradeServerSetup } from '../../test/support/test-upgrade-server.js';
import { ProxiedSockets } from './proxied-sockets.js';
import { SilentSockets } from './silent-sockets.js';

const v1 = 'PROXY TCP4 203.0.113.7 10.0.0.1 4711 8081\r\n';

interface ProxiedServer {
  readonly test: TestUpgradeServer;
  /** Addresses of the accepted clients. */
  readonly addresses: readonly string[];
}

async function start(trusted = true, setup: TestUpgradeServerSetup = {}): Promise<ProxiedServer> {
  const addresses: string[] = [];
  const test = await TestUpgradeServer.start({
    proxied: (refused) => new ProxiedSockets(() => trusted, refused, 200),
    authenticate: (_request, { address }) => {
      addresses.push(address);
      return Promise.resolve({ user: null });
    },
    ...setup,
  });
  return { test, addresses };
}

describe('Connections of a proxy that speaks the PROXY protocol', () => {
  it.each([
    ['version 1', Buffer.from(v1), '203.0.113.7'],
    ['version 1 over IPv6', Buffer.from('PROXY TCP6 2001:db8::7 ::1 1 2\r\n'), '2001:db8::7'],
    ['version 1 without a client', Buffer.from('PROXY UNKNOWN\r\n'), 'unknown'],
    ['version 2', proxyHeaderV2({ address: '203.0.113.7', more: 50 }), '203.0.113.7'],
    ['version 2 over IPv6', proxyHeaderV2({ address: '2001:db8::7' }), '2001:db8::7'],
    ['version 2 without a client', proxyHeaderV2({ more: 3 }), 'unknown'],
    ['version 2 on the proxy’s own behalf', proxyHeaderV2({ command: 0 }), '127.0.0.1'],
  ])('[L-9.14] a header of %s names the client, in one piece and in many', async (_what, header, address) => {
    const { test, addresses } = await start();
    const bytes = Buffer.concat([header, Buffer.from(handshake()), clientFrame('early')]);
    const whole = await test.connect();
    expect(await whole.send(bytes).answered()).toBe(101);
    const apart = await test.connect();
    apart.send(header);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await apart.send(bytes.subarray(header.length)).answered()).toBe(101);
    const dripping = await test.connect();
    for (const byte of bytes) {
      dripping.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await dripping.answered()).toBe(101);
    await test.until(() => test.received.length === 3);
    expect([addresses, test.received]).toEqual([
      [address, address, address],
      ['early', 'early', 'early'],
    ]);
    for (const peer of [whole, apart, dripping]) {
      peer.send(clientFrame('later'));
      await test.until(() => test.received.at(-1) === 'later');
      test.received.pop();
    }
  });

  it('[L-9.14] every request on one socket keeps the client that the header named', async () => {
    const { test, addresses } = await start();
    const peer = await test.connect();
    peer.send(`${v1}GET / HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await peer.answered()).toBe(404);
    expect(test.refusals).toMatchObject([{ result: 'not-found', address: '203.0.113.7' }]);
    expect(addresses).toEqual([]);
  });

  it.each([
    ['a missing header', handshake(), 'absent PROXY protocol header from a trusted proxy'],
    [
      'a wrong header',
      `PROXY TCP4 nobody 10.0.0.1 1 2\r\n${handshake()}`,
      'malformed PROXY protocol header from a trusted proxy',
    ],
    [
      'a header without an end',
      `PROXY ${'x'.repeat(5_000)}`,
      'malformed PROXY protocol header from a trusted proxy',
    ],
    [
      'a second header',
      `${v1}${v1}${handshake()}`,
      expect.stringContaining('set the options proxyProtocol and trustedProxies'),
    ],
  ])('[L-9.14] %s is refused with 400, logged and counted', async (_what, text, reason) => {
    const { test, addresses } = await start();
    const peer = await test.connect();
    await peer.send(text).closed;
    expect([peer.status, addresses, test.handler.pendingCount]).toEqual([400, [], 0]);
    expect(test.refusals).toEqual([expect.objectContaining({ result: 'proxy-protocol', reason })]);
  });

  it.each(['', 'PROXY TCP4 20', '\r\n\r\n\0'])(
    '[L-9.14] a header that does not arrive in time is refused: %j',
    async (text) => {
      const { test } = await start();
      const peer = await test.connect();
      if (text !== '') peer.send(Buffer.from(text, 'latin1'));
      expect(await peer.closed).toBeGreaterThan(150);
      expect([peer.status, test.refusals.map(({ result }) => result)]).toEqual([408, ['request-timeout']]);
    },
  );

  it('[L-9.14] a header from an untrusted address is refused, and a connection without one is served as usual', async () => {
    const { test, addresses } = await start(false);
    for (const header of [Buffer.from(v1), proxyHeaderV2({ address: '203.0.113.7' })]) {
      const liar = await test.connect();
      await liar.send(Buffer.concat([header, Buffer.from(handshake())])).closed;
      expect(liar.status).toBe(400);
    }
    expect(test.refusals.map(({ result }) => result)).toEqual(['proxy-protocol', 'proxy-protocol']);
    const direct = await test.connect();
    expect(await direct.send(handshake()).answered()).toBe(101);
    expect(addresses).toEqual(['127.0.0.1']);
  });

  it('[L-10.1] peers that leave or reset before their header leave nothing behind', async () => {
    const { test } = await start();
    for (let n = 0; n < 100; n++) {
      const peer = await test.connect();
      if (n % 2 === 0) peer.send('PROXY TC');
      if (n % 4 < 2) peer.reset();
      else peer.finish();
      await peer.closed;
    }
    expect([test.refusals, test.failures]).toEqual([[], []]);
  });

  it('[L-9.14] the number of sockets without a header is bounded, and each one closed for it is counted', async () => {
    let dropped = 0;
    const { test } = await start(true, {
      proxied: (refused) => {
        const proxied = new ProxiedSockets(() => true, refused, 5_000, new SilentSockets(3));
        proxied.onDropped = () => (dropped += 1);
        return proxied;
      },
    });
    const peers = [];
    for (let n = 0; n < 5; n++) peers.push((await test.connect()).send('PROXY TC'));
    await Promise.all(peers.slice(0, 2).map(({ closed }) => closed));
    expect(dropped).toBe(2);
  });
});

describe('A server without the PROXY protocol', () => {
  it.each([Buffer.from(v1), proxyHeaderV2({ address: '203.0.113.7' })])(
    '[L-9.14] the refusal of a PROXY protocol header names the options to set',
    async (header) => {
      const test = await TestUpgradeServer.start();
      const peer = await test.connect();
      await peer.send(Buffer.concat([header, Buffer.from(handshake())])).closed;
      expect([peer.status, test.refusals]).toEqual([
        400,
        [
          expect.objectContaining({
            result: 'proxy-protocol',
            reason: expect.stringContaining('set the options proxyProtocol and trustedProxies') as string,
          }),
        ],
      ]);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { clientFrame, handshake, type RawPeer } from '../../test/support/raw-peer.js';
import { TestUpgradeServer, type TestUpgradeServerSetup } from '../../test/support/test-upgrade-server.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import { Refusal } from './refusal.js';

/** A guard that decides when the test says so. */
class SlowGuard {
  private readonly waiting: {
    readonly resolve: (identity: ConnectionIdentity) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  get asked(): number {
    return this.waiting.length;
  }

  readonly authenticate: NonNullable<TestUpgradeServerSetup['authenticate']> = () =>
    new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));

  allow(index = 0): void {
    this.waiting[index]?.resolve({ user: { id: 'ann' } });
  }

  fail(error: unknown, index = 0): void {
    this.waiting[index]?.reject(error);
  }
}

async function pendingPeers(
  count: number,
  setup: TestUpgradeServerSetup = {},
): Promise<{ test: TestUpgradeServer; guard: SlowGuard; peers: RawPeer[] }> {
  const guard = new SlowGuard();
  const test = await TestUpgradeServer.start({ authenticate: guard.authenticate, ...setup });
  const peers = await Promise.all(Array.from({ length: count }, () => test.connect(true)));
  for (const peer of peers) peer.send(handshake());
  await test.until(() => guard.asked === count);
  return { test, guard, peers };
}

describe('UpgradeHandler: admission', () => {
  it('[L-1.3] the answer selects live.v1 if the client offers it, and never echoes a credential', async () => {
    const test = await TestUpgradeServer.start();
    const offers = ['bearer.SECRET, live.v1', 'live.v1', 'bearer.SECRET', 'live.v2', undefined];
    const answers: string[] = [];
    for (const offer of offers) {
      const peer = await test.connect();
      await peer.send(handshake({ headers: { 'Sec-WebSocket-Protocol': offer } })).answered();
      answers.push(/sec-websocket-protocol: (.*)\r/i.exec(peer.text)?.[1] ?? '');
      expect(peer.text).not.toContain('SECRET');
    }
    expect(answers).toEqual(['live.v1', 'live.v1', '', '', '']);
  });

  it('[L-1.4] a guard’s refusal is sent unchanged, without line breaks in its headers', async () => {
    const { guard, peers, test } = await pendingPeers(1);
    guard.fail(new Refusal(401, 'Wer da? "ä"', { 'WWW-Authenticate': 'Bearer\r\nX-Evil: 1\u{1F600}' }));
    await peers[0]?.ended;
    const text = peers[0]?.bytes.toString() ?? '';
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 401 Unauthorized',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${String(Buffer.byteLength(body))}`,
      'WWW-Authenticate: BearerX-Evil: 1',
      'Connection: close',
    ]);
    expect(JSON.parse(body)).toEqual({ statusCode: 401, error: 'Unauthorized', message: 'Wer da? "ä"' });
    expect(test.results).toEqual(['unauthorized']);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('SECRET'))],
    [
      'throws synchronously',
      () => {
        throw new Error('SECRET');
      },
    ],
    // eslint-disable-next-line typescript/prefer-promise-reject-errors -- guards may throw anything
    ['throws undefined', () => Promise.reject(undefined as unknown as Error)],
  ] as const)(
    '[L-1.10] a guard that %s denies with a 503 that hides the error',
    async (_what, authenticate) => {
      const test = await TestUpgradeServer.start({ authenticate });
      const peer = await test.connect();
      await peer.send(handshake()).closed;
      expect([peer.status, test.results, test.failures.length, test.handler.pendingCount]).toEqual([
        503,
        ['unavailable'],
        1,
        0,
      ]);
      expect(peer.text).toContain('\r\nRetry-After: 1\r\n');
      expect(peer.text).not.toContain('SECRET');
    },
  );

  it('[L-1.10] a precheck that throws is answered with 503', async () => {
    const precheck = (): never => {
      throw new Error('SECRET');
    };
    const test = await TestUpgradeServer.start({ precheck });
    const peer = await test.connect();
    await peer.send(handshake()).closed;
    expect([peer.status, test.failures.length, test.handler.pendingCount]).toEqual([503, 1, 0]);
  });

  it('a connection whose acceptance throws is closed and not counted', async () => {
    const accepted = (): never => {
      throw new Error('no session');
    };
    const test = await TestUpgradeServer.start({ accepted, options: { maxConnectionsPerAddress: 1 } });
    const peer = await test.connect();
    await peer.send(handshake()).closed;
    expect([peer.status, test.failures.length, test.handler.pendingCount]).toEqual([101, 1, 0]);
    await test.until(() => test.handler.occupancy.connectionCount === 0);
    expect(test.handler.occupancy.remembered).toBe(0);
  });
});

describe('UpgradeHandler: caps and deadline', () => {
  it('[L-1.10] a handshake beyond maxPendingUpgrades is refused with 503, and each decision frees a slot', async () => {
    const { test, guard, peers } = await pendingPeers(3, { options: { maxPendingUpgrades: 3 } });
    const late = await test.connect();
    expect(await late.send(handshake()).answered()).toBe(503);
    expect([test.handler.pendingCount, guard.asked]).toEqual([3, 3]);
    guard.allow(1);
    await peers[1]?.answered();
    const next = await test.connect();
    next.send(handshake());
    await test.until(() => guard.asked === 4);
    guard.allow(3);
    expect(await next.answered()).toBe(101);
    expect(test.handler.pendingCount).toBe(2);
  });

  it('[L-1.10] the deadline answers with 503, and a later answer of the guard is ignored', async () => {
    const { test, guard, peers } = await pendingPeers(3);
    test.clock.advance(4_999);
    expect(test.handler.pendingCount).toBe(3);
    test.clock.advance(1);
    expect([test.handler.pendingCount, test.clock.timerCount]).toEqual([0, 0]);
    guard.allow(0);
    guard.fail(new Error('late'), 1);
    for (const peer of peers) await peer.ended;
    expect(peers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect([test.results, test.sockets.length]).toEqual([['unavailable', 'unavailable', 'unavailable'], 0]);
  });

  it('[L-1.10] a drain refuses every pending handshake and every later one', async () => {
    const { test, guard, peers } = await pendingPeers(3);
    test.draining = true;
    test.handler.refuseAll();
    expect([test.handler.pendingCount, test.clock.timerCount]).toEqual([0, 0]);
    guard.allow(0);
    const late = await test.connect();
    await late.send(handshake()).closed;
    for (const peer of peers) await peer.ended;
    expect([...peers, late].map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    expect(test.sockets.length).toBe(0);
  });

  it('[L-1.10] a guard that allows after the drain began admits no one', async () => {
    const { test, guard, peers } = await pendingPeers(1);
    test.draining = true;
    guard.allow();
    await peers[0]?.ended;
    expect([peers[0]?.status, test.sockets.length, test.results]).toEqual([503, 0, ['unavailable']]);
  });
});

describe('UpgradeHandler: a handshake decided within its tick', () => {
  it('[L-1.10] a handshake decided within its tick has no deadline, and its socket is not watched', async () => {
    const timers: number[] = [];
    const listeners: number[] = [];
    const test = await TestUpgradeServer.start({
      authenticate: async ({ socket }) => {
        const before = socket.listenerCount('data') + socket.listenerCount('end');
        await Promise.resolve();
        listeners.push(socket.listenerCount('data') + socket.listenerCount('end') - before);
        return { user: null };
      },
      accepted: () => timers.push(test.clock.timerCount),
    });
    const peer = await test.connect();
    expect(await peer.send(handshake()).answered()).toBe(101);
    expect([timers, listeners, test.clock.timerCount]).toEqual([[0], [0], 0]);
  });

  it('[L-1.10] a guard that answers at once leaves no pending handshake behind', async () => {
    const counts: number[] = [];
    const test = await TestUpgradeServer.start({
      authenticate: () => {
        counts.push(test.handler.pendingCount);
        return { user: { id: 'ann' } };
      },
    });
    const peer = await test.connect();
    expect(await peer.send(handshake()).answered()).toBe(101);
    expect([...counts, test.handler.pendingCount]).toEqual([0, 0]);
  });

  it('[L-1.10] a handshake counts as pending while its guards wait', async () => {
    const counts: number[] = [];
    const test = await TestUpgradeServer.start({
      authenticate: async () => {
        await Promise.resolve();
        counts.push(test.handler.pendingCount);
        return { user: { id: 'ann' } };
      },
    });
    const peer = await test.connect();
    await peer.send(handshake()).answered();
    expect([...counts, test.handler.pendingCount]).toEqual([1, 0]);
  });

  it('[L-1.4] a handshake can be refused within its tick', async () => {
    const refusal = new Refusal(401, 'Who?');
    const test = await TestUpgradeServer.start({ authenticate: () => Promise.reject(refusal) });
    const peer = await test.connect();
    await peer.send(handshake()).closed;
    expect([peer.status, test.results, test.clock.timerCount]).toEqual([401, ['unauthorized'], 0]);
  });

  it('a peer that has left by the end of the tick counts as aborted', async () => {
    const test = await TestUpgradeServer.start({
      authenticate: ({ socket }) => {
        socket.destroy();
        return new Promise(() => {});
      },
    });
    const peer = await test.connect();
    peer.send(handshake());
    await test.until(() => test.results.length === 1);
    expect(test.results).toEqual(['aborted']);
  });

  it('[L-9.13] a FIN read in the same tick as the handshake ends it at once', async () => {
    const guard = new SlowGuard();
    const test = await TestUpgradeServer.start({
      authenticate: (request, handshake) => {
        // Node does this after a read of 64 KiB, and TLS when both arrive together.
        request.socket.push(null);
        request.socket.read(0);
        return guard.authenticate(request, handshake);
      },
    });
    const peer = await test.connect(true);
    peer.send(handshake());
    await test.until(() => test.results.length === 1);
    expect(test.results).toEqual(['aborted']);
  });
});

describe('UpgradeHandler: a peer that leaves while its handshake is pending', () => {
  it.each([
    ['a FIN', (peer: RawPeer) => peer.finish()],
    ['an RST', (peer: RawPeer) => peer.reset()],
    ['an RST behind data', (peer: RawPeer) => peer.send(clientFrame('{}')).reset()],
  ] as const)(
    '[L-9.13] leaving by %s ends the handshake at once, but it counts as pending until the guard answers',
    async (_what, leave) => {
      const { test, guard, peers } = await pendingPeers(2);
      if (peers[0]) leave(peers[0]);
      await test.until(() => test.results.length === 1);
      expect([test.results, test.handler.pendingCount]).toEqual([['aborted'], 2]);
      guard.allow(0);
      await test.until(() => test.handler.pendingCount === 1);
      expect(test.clock.timerCount).toBe(1);
      guard.allow(1);
      expect(await peers[1]?.answered()).toBe(101);
      expect([test.sockets.length, test.results]).toEqual([1, ['aborted', 'accepted']]);
      expect([test.handler.pendingCount, test.clock.timerCount]).toEqual([0, 0]);
    },
  );

  it('[L-9.13] a peer that left counts as pending until the deadline if the guard never answers', async () => {
    const { test, guard, peers } = await pendingPeers(2);
    peers[0]?.reset();
    await test.until(() => test.results.length === 1);
    test.clock.advance(4_999);
    expect(test.handler.pendingCount).toBe(2);
    test.clock.advance(1);
    expect([test.handler.pendingCount, test.clock.timerCount]).toEqual([0, 0]);
    guard.fail(new Error('late'));
    await peers[1]?.ended;
    expect([test.handler.pendingCount, test.results]).toEqual([0, ['aborted', 'unavailable']]);
  });

  it('[L-9.13] peers that leave in a loop start no more guards than maxPendingUpgrades', async () => {
    const guard = new SlowGuard();
    const { authenticate } = guard;
    const test = await TestUpgradeServer.start({ authenticate, options: { maxPendingUpgrades: 3 } });
    for (let i = 0; i < 20; i++) {
      const peer = await test.connect();
      const asked = guard.asked;
      peer.send(handshake());
      await test.until(() => guard.asked > asked || test.results.length > i);
      peer.reset();
      await test.until(() => test.results.length > i);
    }
    expect(test.results.filter((result) => result === 'max-pending').length).toBe(17);
    expect([guard.asked, test.handler.pendingCount]).toEqual([3, 3]);
    for (const index of [0, 1, 2]) guard.allow(index);
    await test.until(() => test.handler.pendingCount === 0);
    expect([test.sockets.length, test.handler.occupancy.remembered]).toEqual([0, 0]);
  });

  it('a FIN together with the handshake and early frames ends it at once', async () => {
    const guard = new SlowGuard();
    const test = await TestUpgradeServer.start({ authenticate: guard.authenticate });
    const peer = await test.connect(true);
    peer.socket.end(Buffer.concat([Buffer.from(handshake()), clientFrame('{}')]));
    await test.until(() => test.results.length === 1);
    expect(test.results).toEqual(['aborted']);
  });

  it('a FIN behind later frames ends the handshake at once', async () => {
    const { test, peers } = await pendingPeers(1);
    peers[0]?.send(clientFrame('{}')).finish();
    await test.until(() => test.results.length === 1);
    expect(test.results).toEqual(['aborted']);
  });
});

describe('UpgradeHandler: early frames', () => {
  const frames = [clientFrame('one'), clientFrame('two'), clientFrame('three')];
  const everything = Buffer.concat([Buffer.from(handshake()), ...frames]);

  it.each(['at once', 'while it is pending', 'byte by byte'] as const)(
    '[L-1.12] early frames sent %s are handled once and in order',
    async (how) => {
      const guard = new SlowGuard();
      const test = await TestUpgradeServer.start({ authenticate: guard.authenticate });
      const peer = await test.connect();
      if (how === 'at once') peer.send(everything);
      else if (how === 'while it is pending') {
        peer.send(handshake());
        await test.until(() => guard.asked === 1);
        for (const frame of frames) peer.send(frame);
      } else {
        for (const byte of everything) {
          peer.send(Uint8Array.of(byte));
          await new Promise(setImmediate);
        }
      }
      await test.until(() => guard.asked === 1);
      guard.allow();
      await test.until(() => test.received.length >= 3);
      peer.send(clientFrame('four'));
      await test.until(() => test.received.length >= 4);
      expect(test.received).toEqual(['one', 'two', 'three', 'four']);
    },
  );

  it('[L-1.12] 1 MB sent while the handshake is pending is handled in order', async () => {
    const { test, guard, peers } = await pendingPeers(1);
    const texts = Array.from({ length: 100 }, (_, i) => `${String(i)}:${'x'.repeat(10_000)}`);
    for (const text of texts) peers[0]?.send(clientFrame(text));
    await new Promise((resolve) => setTimeout(resolve, 50));
    guard.allow();
    await test.until(() => test.received.length >= texts.length);
    expect(test.received).toEqual(texts);
  });

  it('garbage as the first frame closes the connection with 1002', async () => {
    const test = await TestUpgradeServer.start();
    const peer = await test.connect(true);
    peer.send(Buffer.concat([Buffer.from(handshake()), Buffer.from([0x83, 0x00, 0xff, 0xff])]));
    await peer.until(({ closeCode }) => closeCode !== undefined);
    expect(peer.closeCode).toBe(1002);
    peer.reset();
  });
});

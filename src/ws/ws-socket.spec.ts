import { describe, expect, it } from 'vitest';
import { clientFrame, handshake, type RawPeer } from '../../test/support/raw-peer.js';
import { TestUpgradeServer } from '../../test/support/test-upgrade-server.js';
import { SharedFrame } from '../core/frame/shared-frame.js';
import type { Session } from '../core/inbound/session.js';
import { WsSocket } from './ws-socket.js';

/** Remembers what it is told; stands where the core's session does. */
class Told {
  readonly events: unknown[] = [];
  readonly received = (text: string): void => this.tell('received', text);
  readonly receivedBinary = (): void => this.tell('binary');
  readonly pinged = (): void => this.tell('pinged');
  readonly heard = (): void => this.tell('heard');
  readonly finished = (code: number, reason: string): void => this.tell('finished', code, reason);

  private tell(...event: unknown[]): void {
    this.events.push(event);
  }
}

interface Pair {
  readonly test: TestUpgradeServer;
  readonly socket: WsSocket;
  readonly told: Told;
  readonly peer: RawPeer;
}

async function pair(allowHalfOpen = false): Promise<Pair> {
  const told = new Told();
  const sockets: WsSocket[] = [];
  const test = await TestUpgradeServer.start({
    accepted: (ws, socket) => {
      sockets.push(new WsSocket(ws, socket));
      ws.serve(told as unknown as Session);
    },
  });
  const peer = await test.connect(allowHalfOpen);
  await peer.send(handshake()).answered();
  const [socket] = sockets;
  if (socket === undefined) throw new Error('Nobody was let in');
  return { test, socket, told, peer };
}

const closing = Buffer.from([3, 232, 0x62, 0x79, 0x65]);

/** Writes until more waits than the system takes. */
async function fill(socket: WsSocket): Promise<void> {
  const frame = new SharedFrame('x'.repeat(1_000_000)).bytes;
  while (socket.bufferedBytes < 1_048_576) {
    socket.write(frame);
    await new Promise(setImmediate);
  }
}

describe('WsSocket', () => {
  it.each([
    ['too large a message', 1009, Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4])],
    ['too large a frame', 1009, Buffer.from([0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
    [
      'too many fragments',
      1008,
      Buffer.concat(Array.from({ length: 33 }, (_, i) => clientFrame('x', i === 0 ? 0x01 : 0x00))),
    ],
    ['no UTF-8', 1007, clientFrame(Buffer.from([0xff]))],
    ['no opcode', 1002, clientFrame('', 0x83)],
  ])(
    '[L-9.1] tells the session of the code by which a peer was closed for %s: %d',
    async (_what, code, bytes) => {
      const { test, told, peer } = await pair();
      peer.send(bytes);
      await peer.until(({ closeCode }) => closeCode === code);
      peer.reset();
      await test.until(() => told.events.length > 0);
      expect(told.events).toEqual([['finished', code, '']]);
    },
  );

  it('tells the session of texts, binaries, pings, pongs and the end, in order', async () => {
    const { test, told, peer, socket } = await pair();
    const frames = [clientFrame('ä'), clientFrame('b', 0x82), clientFrame('', 0x89), clientFrame('', 0x8a)];
    peer.send(Buffer.concat([...frames, clientFrame(closing, 0x88)]));
    await test.until(() => told.events.length >= 5);
    expect(told.events).toEqual([
      ['received', 'ä'],
      ['binary'],
      ['pinged'],
      ['heard'],
      ['finished', 1000, 'bye'],
    ]);
    expect(socket.open).toBe(false);
  });

  it.each([
    ['an RST', (peer: RawPeer) => peer.reset()],
    ['a FIN', (peer: RawPeer) => peer.finish()],
  ] as const)('[L-10.3] tells the session 1006 after %s', async (_what, leave) => {
    const { test, told, peer, socket } = await pair();
    leave(peer);
    await test.until(() => told.events.length > 0);
    expect([told.events, socket.open]).toEqual([[['finished', 1006, '']], false]);
  });

  it('[L-2.8] hears nothing while it is paused, and everything when it goes on', async () => {
    const { test, told, peer, socket } = await pair();
    socket.pause();
    for (let i = 0; i < 3; i++) peer.send(clientFrame(String(i)));
    const other = await test.connect();
    await other.send(handshake()).answered();
    expect(told.events).toEqual([]);
    socket.resume();
    await test.until(() => told.events.length === 3);
    expect(told.events).toEqual([0, 1, 2].map((i) => ['received', String(i)]));
  });

  it('writes data, pings and the close in the order of the calls', async () => {
    const { peer, socket } = await pair();
    socket.write(new SharedFrame('one').bytes);
    socket.ping();
    socket.write(new SharedFrame('two').bytes);
    socket.close(1001, 'bye');
    socket.write(new SharedFrame('three').bytes);
    socket.ping();
    await peer.until(({ closeCode }) => closeCode !== undefined);
    expect(peer.frames.map(({ opcode }) => opcode)).toEqual([1, 9, 1, 8]);
  });

  it('[L-9.2] is gone soon after a close to a peer that reads nothing', async () => {
    const { test, told, peer, socket } = await pair(true);
    peer.socket.pause();
    await fill(socket);
    const since = performance.now();
    socket.close(1008, 'back-pressure threshold exceeded');
    await test.until(() => told.events.length > 0);
    expect(told.events).toEqual([['finished', 1006, '']]);
    expect(performance.now() - since).toBeLessThan(3_600);
    peer.reset();
  });

  it('is gone at once when it is terminated, whatever waits', async () => {
    const { test, told, peer, socket } = await pair(true);
    peer.socket.pause();
    await fill(socket);
    socket.terminate();
    expect(socket.open).toBe(false);
    await test.until(() => told.events.length > 0);
    expect([told.events, socket.bufferedBytes]).toEqual([[['finished', 1006, '']], 0]);
    peer.reset();
  });

  it('is gone soon after a peer has closed and neither reads nor leaves', async () => {
    const { test, told, peer } = await pair(true);
    peer.socket.pause();
    peer.send(clientFrame(closing, 0x88));
    const since = performance.now();
    await test.until(() => told.events.length > 0);
    expect(told.events).toEqual([['finished', 1000, 'bye']]);
    expect(performance.now() - since).toBeLessThan(3_600);
    peer.reset();
  });

  it('[L-10.1] sees the answer to its close, also when it was paused', async () => {
    const { test, told, peer, socket } = await pair();
    socket.pause();
    peer.send(clientFrame('before'));
    socket.close(1001, 'bye');
    await peer.until(({ closeCode }) => closeCode !== undefined);
    peer.send(clientFrame(closing, 0x88));
    const since = performance.now();
    await test.until(() => told.events.some((event) => (event as unknown[])[0] === 'finished'));
    expect(told.events.at(-1)).toEqual(['finished', 1000, 'bye']);
    expect(performance.now() - since).toBeLessThan(1_500);
  });
});

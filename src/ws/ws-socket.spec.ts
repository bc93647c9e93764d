import { describe, expect, it } from 'vitest';
import { clientFrame, handshake, type RawPeer } from '../../test/support/raw-peer.js';
import { TestUpgradeServer } from '../../test/support/test-upgrade-server.js';
import { SharedFrame } from '../core/frame/shared-frame.js';
import type { Session } from '../core/inbound/session.js';
import { WsSocket } from './ws-socket.js';

/** Records the events that the core's session would receive. */
class RecordingSession {
  readonly events: unknown[] = [];
  readonly received = (text: string): void => this.record('received', text);
  readonly receivedBinary = (): void => this.record('binary');
  readonly pinged = (): void => this.record('pinged');
  readonly heard = (): void => this.record('heard');
  readonly finished = (code: number, reason: string): void => this.record('finished', code, reason);

  private record(...event: unknown[]): void {
    this.events.push(event);
  }
}

interface Pair {
  readonly test: TestUpgradeServer;
  readonly socket: WsSocket;
  readonly session: RecordingSession;
  readonly peer: RawPeer;
}

async function pair(allowHalfOpen = false): Promise<Pair> {
  const session = new RecordingSession();
  const sockets: WsSocket[] = [];
  const test = await TestUpgradeServer.start({
    accepted: (ws, socket) => {
      sockets.push(new WsSocket(ws, socket));
      ws.serve(session as unknown as Session);
    },
  });
  const peer = await test.connect(allowHalfOpen);
  await peer.send(handshake()).answered();
  const [socket] = sockets;
  if (socket === undefined) throw new Error('No connection was accepted');
  return { test, socket, session, peer };
}

const closing = Buffer.from([3, 232, 0x62, 0x79, 0x65]);

/** Writes until more data is queued than the kernel accepts. */
async function fill(socket: WsSocket): Promise<void> {
  const frame = new SharedFrame('x'.repeat(1_000_000)).bytes;
  while (socket.bufferedBytes < 1_048_576) {
    socket.write(frame);
    await new Promise(setImmediate);
  }
}

describe('WsSocket', () => {
  it.each([
    ['a message that is too large', 1009, Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4])],
    ['a frame that is too large', 1009, Buffer.from([0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
    [
      'too many fragments',
      1008,
      Buffer.concat(Array.from({ length: 33 }, (_, i) => clientFrame('x', i === 0 ? 0x01 : 0x00))),
    ],
    ['invalid UTF-8', 1007, clientFrame(Buffer.from([0xff]))],
    ['an invalid opcode', 1002, clientFrame('', 0x83)],
  ])('[L-9.1] the session learns the close code of a peer that sent %s: %d', async (_what, code, bytes) => {
    const { test, session, peer } = await pair();
    peer.send(bytes);
    await peer.until(({ closeCode }) => closeCode === code);
    peer.reset();
    await test.until(() => session.events.length > 0);
    expect(session.events).toEqual([['finished', code, '']]);
  });

  it('the session receives texts, binaries, pings, pongs and the close, in order', async () => {
    const { test, session, peer, socket } = await pair();
    const frames = [clientFrame('ä'), clientFrame('b', 0x82), clientFrame('', 0x89), clientFrame('', 0x8a)];
    peer.send(Buffer.concat([...frames, clientFrame(closing, 0x88)]));
    await test.until(() => session.events.length >= 5);
    expect(session.events).toEqual([
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
  ] as const)('[L-10.3] the session is closed with 1006 after %s', async (_what, leave) => {
    const { test, session, peer, socket } = await pair();
    leave(peer);
    await test.until(() => session.events.length > 0);
    expect([session.events, socket.open]).toEqual([[['finished', 1006, '']], false]);
  });

  it('[L-2.8] a paused socket delivers nothing, and everything after it resumes', async () => {
    const { test, session, peer, socket } = await pair();
    socket.pause();
    for (let i = 0; i < 3; i++) peer.send(clientFrame(String(i)));
    const other = await test.connect();
    await other.send(handshake()).answered();
    expect(session.events).toEqual([]);
    socket.resume();
    await test.until(() => session.events.length === 3);
    expect(session.events).toEqual([0, 1, 2].map((i) => ['received', String(i)]));
  });

  it('data, pings and the close are sent in the order of the calls', async () => {
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

  it('[L-9.2] a close to a peer that reads nothing times out', async () => {
    const { test, session, peer, socket } = await pair(true);
    peer.socket.pause();
    await fill(socket);
    const since = performance.now();
    socket.close(1008, 'back-pressure threshold exceeded');
    await test.until(() => session.events.length > 0);
    expect(session.events).toEqual([['finished', 1006, '']]);
    expect(performance.now() - since).toBeLessThan(3_600);
    peer.reset();
  });

  it('terminate closes the socket at once, however much data is queued', async () => {
    const { test, session, peer, socket } = await pair(true);
    peer.socket.pause();
    await fill(socket);
    socket.terminate();
    expect(socket.open).toBe(false);
    await test.until(() => session.events.length > 0);
    expect([session.events, socket.bufferedBytes]).toEqual([[['finished', 1006, '']], 0]);
    peer.reset();
  });

  it('a socket closes soon after a close frame from a peer that neither reads nor leaves', async () => {
    const { test, session, peer } = await pair(true);
    peer.socket.pause();
    peer.send(clientFrame(closing, 0x88));
    const since = performance.now();
    await test.until(() => session.events.length > 0);
    expect(session.events).toEqual([['finished', 1000, 'bye']]);
    expect(performance.now() - since).toBeLessThan(3_600);
    peer.reset();
  });

  it('[L-10.1] a paused socket still reads the peer’s answer to its close', async () => {
    const { test, session, peer, socket } = await pair();
    socket.pause();
    peer.send(clientFrame('before'));
    socket.close(1001, 'bye');
    await peer.until(({ closeCode }) => closeCode !== undefined);
    peer.send(clientFrame(closing, 0x88));
    const since = performance.now();
    await test.until(() => session.events.some((event) => (event as unknown[])[0] === 'finished'));
    expect(session.events.at(-1)).toEqual(['finished', 1000, 'bye']);
    expect(performance.now() - since).toBeLessThan(1_500);
  });
});

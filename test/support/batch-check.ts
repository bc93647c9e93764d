import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Session } from '../../src/core/inbound/session.js';
import type { SendBatch } from '../../src/core/ports/socket.js';
import { liveSocketOf } from '../../src/ws/batched-socket.js';
import { SocketBatch } from '../../src/ws/write-batch.js';
import type { WsSocket } from '../../src/ws/ws-socket.js';
import { handshake, type RawPeer } from './raw-peer.js';
import { TestUpgradeServer } from './test-upgrade-server.js';

/** A connection on real sockets, and what the peer must receive. */
export interface Line {
  readonly socket: WsSocket;
  /** The server's socket below it. */
  readonly below: Socket;
  readonly peer: RawPeer;
  readonly expected: Buffer[];
  /** Close codes that the session got. */
  readonly ends: number[];
  /** Bytes before the first frame. */
  readonly head: number;
}

/** Connections whose writes go through the sender, or through streams without one. */
export async function linesOf(count: number, batch: SocketBatch | undefined): Promise<Line[]> {
  const made: { socket: WsSocket; below: Socket; ends: number[] }[] = [];
  const test = await TestUpgradeServer.start({
    accepted: (ws, below) => {
      const ends: number[] = [];
      const session = {
        received: () => {},
        receivedBinary: () => {},
        pinged: () => {},
        heard: () => {},
        finished: (code: number) => void ends.push(code),
      };
      made.push({ socket: liveSocketOf(ws, below, 0, batch), below: below as Socket, ends });
      ws.serve(session as unknown as Session);
    },
  });
  const lines: Line[] = [];
  for (let i = 0; i < count; i++) {
    const peer = await test.connect();
    await peer.send(handshake()).answered();
    const own = made[i];
    if (own === undefined) throw new Error('No connection was accepted');
    lines.push({ ...own, peer, expected: [], head: own.below.bytesWritten });
  }
  return lines;
}

type Step =
  | { readonly do: 'write' | 'writeOutside'; readonly at: number; readonly size: number }
  | {
      readonly do: 'ping' | 'ask' | 'drain' | 'cork' | 'stop' | 'go' | 'reset' | 'destroy' | 'close';
      readonly at: number;
    }
  | { readonly do: 'turn' };

const count = 3;
const at = fc.nat(count - 1);
const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 900 }) },
  fc.integer({ min: 1, max: 40_000 }),
);
const plain = fc.constantFrom('ping', 'ask', 'drain', 'cork', 'stop', 'go');
const rare = fc.constantFrom('reset', 'destroy', 'close');

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('write'), at, size }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('writeOutside'), at, size }) },
  { weight: 5, arbitrary: fc.record({ do: plain, at }) },
  { weight: 1, arbitrary: fc.record({ do: rare, at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn') }) },
);

const ping = Buffer.from([0x89, 0]);
const closed = Buffer.from([0x88, 2, 0x03, 0xe8]);

/**
 * Any writes, in flushes and outside, to any sockets, with peers that stop reading or reset: each
 * peer receives what it would receive from streams, and the counts of the sockets stay right.
 */
export async function checkBatches(
  sender: SendBatch,
  runs: number,
  prepare: (line: Line) => void = () => {},
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      for (const batch of [new SocketBatch(sender), undefined]) {
        const lines = await linesOf(count, batch);
        lines.forEach(prepare);
        await run(steps, lines, batch);
      }
    }),
    { numRuns: runs },
  );
}

async function run(
  steps: readonly Step[],
  lines: readonly Line[],
  batch: SocketBatch | undefined,
): Promise<void> {
  const broken = new Set<Line>();
  let mark = 0;
  batch?.start();
  for (const each of steps) {
    if (each.do === 'turn') {
      batch?.end();
      await nextTurn();
      batch?.start();
      continue;
    }
    const line = lines[each.at];
    if (line === undefined) continue;
    const { socket, below, peer, expected } = line;
    const { open } = socket;
    if (each.do === 'write' || each.do === 'writeOutside') {
      const bytes = Buffer.alloc(each.size, (mark = (mark + 1) % 251));
      if (each.do === 'writeOutside') batch?.end();
      socket.write(bytes);
      if (open) expected.push(bytes);
      if (each.do === 'writeOutside') batch?.start();
    } else if (each.do === 'ping') {
      socket.ping();
      if (open) expected.push(ping);
    } else if (each.do === 'ask') {
      expect(socket.bufferedBytes).toBe(below.writableLength);
      if (!broken.has(line)) expect(countOf(line)).toBe(bytesOf(line));
    } else if (each.do === 'cork') {
      // What is written now waits in the stream, as if the system were full.
      below.cork();
      process.nextTick(() => below.uncork());
    } else if (each.do === 'drain') {
      const before = bytesOf(line);
      const drained = (): void => expect(countOf(line) - below.writableLength).toBeGreaterThanOrEqual(before);
      if (open) socket.whenDrained({ drained });
    } else if (each.do === 'stop') peer.socket.pause();
    else if (each.do === 'go') peer.socket.resume();
    else if (each.do === 'close') {
      socket.close(1000, '');
      if (open) expected.push(closed);
    } else {
      broken.add(line);
      if (each.do === 'reset') peer.reset();
      else below.destroy();
    }
  }
  batch?.end();
  for (const line of lines) await check(line, broken.has(line));
}

/** The bytes of all frames that were written, also of those that still wait. */
function bytesOf({ expected }: Line): number {
  return expected.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The same as the server's socket counts them. */
function countOf({ below, head }: Line): number {
  return below.bytesWritten - head;
}

async function check(line: Line, isBroken: boolean): Promise<void> {
  const { socket, peer, expected, ends, below } = line;
  peer.socket.resume();
  if (isBroken) {
    await new Promise<void>((resolve) => {
      if (below.closed) resolve();
      else below.once('close', () => resolve());
    });
    await peer.closed;
    const all = Buffer.concat(expected);
    expect(peer.afterHead.equals(all.subarray(0, peer.afterHead.byteLength))).toBe(true);
    while (ends.length === 0) await nextTurn();
    expect(ends).toHaveLength(1);
    return;
  }
  if (socket.open) {
    socket.close(1000, '');
    expected.push(closed);
  }
  const all = Buffer.concat(expected);
  await peer.until(({ afterHead }) => afterHead.byteLength >= all.byteLength);
  expect(peer.afterHead.equals(all)).toBe(true);
  expect(countOf(line)).toBe(all.byteLength);
  peer.reset();
}

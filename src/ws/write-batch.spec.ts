import { writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { checkBatches, linesOf } from '../../test/support/batch-check.js';
import { thorough } from '../../test/support/thorough.js';
import type { LiveSocket, SendBatch } from '../core/ports/socket.js';
import { batchable, type BatchOwner, SocketBatch } from './write-batch.js';

/** Many connections, on a machine that may be busy. */
const longMs = 60_000;
/** Error numbers of Linux. */
const again = -11;

/** What the native function does, with a system that takes at most `most(call)` bytes. */
function senderThatTakes(most: (call: number) => number): SendBatch {
  let calls = 0;
  return (count, rows, buffers) => {
    for (let i = 0; i < count; i++) {
      const bytes = buffers[rows[3 * i + 1] ?? -1];
      rows[3 * i + 2] = taken(rows[3 * i] ?? -1, bytes?.subarray(0, most(calls++)));
    }
  };
}

function taken(descriptor: number, bytes: Uint8Array | undefined): number {
  if (descriptor < 0 || bytes === undefined) return -9;
  if (bytes.byteLength === 0) return again;
  try {
    return writeSync(descriptor, bytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno ?? -1;
  }
}

const everything = (): number => Infinity;

describe.skipIf(process.platform === 'win32')('SocketBatch', () => {
  it(
    'any writes arrive in order and are counted, as through streams, if the system takes all',
    async () => {
      await checkBatches(senderThatTakes(everything), thorough ? 60 : 10);
    },
    longMs,
  );

  it(
    'any writes arrive in order and are counted, if the system takes some bytes, or none',
    async () => {
      await checkBatches(
        senderThatTakes((call) => [3, 70_000, 0, 1, 500, 0][call % 6] ?? 0),
        thorough ? 60 : 15,
      );
    },
    longMs,
  );

  it('sockets that get the same bytes in a row share a buffer, and one call writes to all', async () => {
    const calls: [number, number][] = [];
    const send = senderThatTakes(everything);
    const batch = new SocketBatch((rowCount, rows, buffers) => {
      calls.push([rowCount, buffers.length]);
      send(rowCount, rows, buffers);
    });
    const lines = await linesOf(4, batch);
    batch.start();
    const [one, two] = [Buffer.from('one'), Buffer.from('two')];
    for (const [i, { socket }] of lines.entries()) socket.write(i < 3 ? one : two);
    expect(calls).toEqual([]);
    batch.end();
    expect(calls).toEqual([[4, 2]]);
    const owners = lines.map(({ socket }) => socket as unknown as BatchOwner);
    expect(owners.map(({ inBatch }) => inBatch)).toEqual([false, false, false, false]);
    for (const { peer } of lines) await peer.until(({ afterHead }) => afterHead.byteLength === 3);
    expect(lines.map(({ peer }) => peer.afterHead.toString())).toEqual(['one', 'one', 'one', 'two']);
  });

  it.each<[string, (socket: LiveSocket) => void]>([
    ['tell when it is drained', (socket) => socket.whenDrained({ drained: () => {} })],
    ['tell what is queued', ({ bufferedBytes }) => expect(bufferedBytes).toBe(0)],
    ['write more', (socket) => socket.write(Buffer.from('more'))],
    ['close', (socket) => socket.close(1000, '')],
    ['end at once', (socket) => socket.terminate()],
  ])('a socket that is asked to %s makes the writes that wait first', async (_what, ask) => {
    let calls = 0;
    const send = senderThatTakes(everything);
    const batch = new SocketBatch((...call) => {
      calls += 1;
      send(...call);
    });
    const [line] = await linesOf(1, batch);
    if (line === undefined) throw new Error('There is no connection');
    batch.start();
    line.socket.write(Buffer.from('first'));
    expect(calls).toBe(0);
    ask(line.socket);
    expect(calls).toBe(1);
    batch.end();
    await line.peer.until(({ afterHead }) => afterHead.toString().startsWith('first'));
  });

  it('a socket that is closed before the call is left to its stream, though its number is in use again', async () => {
    const descriptors: number[] = [];
    const send = senderThatTakes(everything);
    const batch = new SocketBatch((rowCount, rows, buffers) => {
      for (let i = 0; i < rowCount; i++) descriptors.push(rows[3 * i] ?? 0);
      send(rowCount, rows, buffers);
    });
    const [gone, other] = await linesOf(2, batch);
    if (gone === undefined || other === undefined) throw new Error('There are no connections');
    batch.start();
    gone.socket.write(Buffer.from('for the other'));
    gone.below.destroy();
    batch.end();
    await gone.peer.closed;
    expect(descriptors).toEqual([-1]);
    expect(gone.peer.afterHead.byteLength + other.peer.afterHead.byteLength).toBe(0);
  });

  it('the streams write what a sender leaves out, and a sender that throws is not called again', async () => {
    const thrown: unknown[] = [];
    const send = senderThatTakes(everything);
    const failure = new Error('broken');
    const senders: SendBatch[] = [
      send,
      () => {},
      (_rowCount, rows, buffers) => {
        send(1, rows, buffers);
        throw failure;
      },
    ];
    let calls = 0;
    const batch = new SocketBatch(
      (...call) => senders[calls++]?.(...call),
      (error) => thrown.push(error),
    );
    const lines = await linesOf(2, batch);
    for (const text of ['one', 'two', 'six', 'ten']) {
      batch.start();
      for (const { socket } of lines) socket.write(Buffer.from(text));
      batch.end();
    }
    for (const { peer } of lines) await peer.until(({ afterHead }) => afterHead.byteLength === 12);
    expect(lines.map(({ peer }) => peer.afterHead.toString())).toEqual(['onetwosixten', 'onetwosixten']);
    expect([calls, thrown]).toEqual([3, [failure]]);
  });

  it('a batch does not write to a Unix socket, to TLS, or to a closed socket', async () => {
    const path = join(tmpdir(), `batch-${String(process.pid)}.sock`);
    const pipes = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => pipes.listen(path, resolve));
    const pipe = connect(path);
    await new Promise<void>((resolve) => pipe.once('connect', resolve));
    expect(batchable(pipe)).toBeUndefined();
    pipe.destroy();
    pipes.close();

    const [line, other] = await linesOf(2, undefined);
    if (line === undefined || other === undefined) throw new Error('There are no connections');
    expect(batchable(line.below)).toBe(line.below);
    line.below.destroy();
    expect(batchable(line.below)).toBeUndefined();
    expect(batchable(new TLSSocket(other.below, { isServer: true }))).toBeUndefined();
  });
});

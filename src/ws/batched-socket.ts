// hot path
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Drained } from '../core/ports/socket.js';
import { batchable, type BatchOwner, type SocketBatch } from './write-batch.js';
import { WsSocket } from './ws-socket.js';

/** The socket of a WebSocket, in the batch if there is one that can write to it. */
export function liveSocketOf(
  ws: WebSocket,
  stream: Duplex,
  windowBits: number,
  batch: SocketBatch | undefined,
): WsSocket {
  const plain = batch === undefined ? undefined : batchable(stream);
  if (batch === undefined || plain === undefined) return new WsSocket(ws, stream, windowBits);
  return new BatchedSocket(ws, plain, windowBits, batch);
}

/**
 * Its writes in a flush wait in the batch. Whatever else is asked of it comes after them, so nobody
 * sees that they have waited.
 */
class BatchedSocket extends WsSocket implements BatchOwner {
  inBatch = false;

  constructor(
    ws: WebSocket,
    private readonly plain: Socket,
    windowBits: number,
    private readonly batch: SocketBatch,
  ) {
    super(ws, plain, windowBits);
  }

  override get bufferedBytes(): number {
    if (this.inBatch) this.batch.send();
    return super.bufferedBytes;
  }

  override write(frames: Uint8Array): void {
    const { batch } = this;
    if (this.inBatch) batch.send();
    if (!batch.collecting) super.write(frames);
    else if (this.open) batch.add(this, this.plain, frames);
  }

  override whenDrained(waiter: Drained): void {
    if (this.inBatch) this.batch.send();
    super.whenDrained(waiter);
  }

  override close(code: number, reason: string): void {
    if (this.inBatch) this.batch.send();
    super.close(code, reason);
  }

  override terminate(): void {
    if (this.inBatch) this.batch.send();
    super.terminate();
  }
}

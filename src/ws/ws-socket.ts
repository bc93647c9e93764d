// hot path
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Drained, LiveSocket } from '../core/ports/socket.js';
import { fittingCode, fittingReason } from './close-frame.js';

const open = 1;
const nothing = Buffer.alloc(0);
/** A ping without a payload (RFC 6455, section 5.5.2), the same for everybody. */
const pingFrame = Buffer.from([0x89, 0]);

/**
 * A `ws` WebSocket as the core sees it. Data frames and pings go straight to the socket, whole and already framed;
 * what else there is goes through `ws`. Both write at once and in order, since `ws` never compresses here and so never queues.
 */
export class WsSocket implements LiveSocket {
  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Duplex,
    readonly windowBits = 0,
  ) {}

  get open(): boolean {
    return this.ws.readyState === open;
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  write(frames: Uint8Array): void {
    // A socket that is destroyed already takes it without a word.
    if (this.open) this.socket.write(frames);
  }

  whenDrained(waiter: Drained): void {
    // Its turn comes behind everything that was written. Node's own 'drain' is not for every write that has to wait.
    this.socket.write(nothing, (error) => {
      if (!error) waiter.drained();
    });
  }

  ping(): void {
    this.write(pingFrame);
  }

  close(code: number, reason: string): void {
    this.ws.close(fittingCode(code), fittingReason(reason));
    // Paused, it would not see the peer's answer, and stay until the close times out.
    this.ws.resume();
  }

  terminate(): void {
    this.ws.terminate();
  }

  pause(): void {
    this.ws.pause();
  }

  resume(): void {
    this.ws.resume();
  }
}

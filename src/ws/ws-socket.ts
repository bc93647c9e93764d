// hot path
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Drained, LiveSocket } from '../core/ports/socket.js';
import { fittingCode, fittingReason } from './close-frame.js';

const open = 1;
const nothing = Buffer.alloc(0);
/** A ping without a payload (RFC 6455, section 5.5.2), shared by all connections. */
const pingFrame = Buffer.from([0x89, 0]);

/**
 * Adapts a `ws` WebSocket to the core. Data frames and pings are already framed and go straight to
 * the socket; everything else goes through `ws`. Order holds because `ws` never compresses here and
 * so never queues.
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
    // A destroyed socket would silently drop the data.
    if (this.open) this.socket.write(frames);
  }

  whenDrained(waiter: Drained): void {
    // An empty write completes after everything before it. Node's `drain` does not fire for every
    // queued write.
    this.socket.write(nothing, (error) => {
      if (!error) waiter.drained();
    });
  }

  ping(): void {
    this.write(pingFrame);
  }

  close(code: number, reason: string): void {
    this.ws.close(fittingCode(code), fittingReason(reason));
    // A paused socket would not read the peer's close frame and would stay until the close times
    // out.
    //
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

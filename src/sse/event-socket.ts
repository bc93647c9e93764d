// hot path
import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { eventStream } from '../core/frame/event-bytes.js';
import type { Drained, LiveSocket } from '../core/ports/socket.js';
import { fittingCode, fittingReason } from '../ws/close-frame.js';

const nothing = Buffer.alloc(0);
const lineFeed = 0x0a;
/** Its data is not empty, because `EventSource` would not show such an event. [L-12.5] */
const pingEvent = Buffer.from('event: ping\ndata: 0\n\n');
/** Milliseconds for a peer to read what was sent before the close, as on a WebSocket. */
const closeWithinMs = 3_000;

/**
 * The answer to a `GET` as the core's socket. Its bytes go straight to the TCP socket, because a
 * body that ends with its connection needs no chunks.
 */
export class EventSocket implements LiveSocket {
  readonly windowBits = eventStream;
  /** Whether messages of the peer have to wait. */
  paused = false;
  private closing = false;
  /** Whether the last event is complete. */
  private whole = true;
  private pingWaits = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly socket: Socket,
  ) {}

  get open(): boolean {
    return !this.closing && this.socket.writable;
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  write(events: Uint8Array): void {
    if (!this.open) return;
    this.socket.write(events);
    this.whole = events[events.byteLength - 1] === lineFeed;
    if (this.pingWaits && this.whole) this.ping();
  }

  whenDrained(waiter: Drained): void {
    this.socket.write(nothing, (error) => {
      if (!error) waiter.drained();
    });
  }

  /** Waits for the end of a large event, which it would cut. */
  ping(): void {
    this.pingWaits = !this.whole;
    if (this.whole && this.open) this.socket.write(pingEvent);
  }

  /** In an unfinished event, the line end makes this the event's name and last line. [L-12.6] */
  close(code: number, reason: string): void {
    if (!this.open) return;
    const data = JSON.stringify({ code: fittingCode(code), reason: fittingReason(reason) });
    this.socket.write(`${this.whole ? '' : '\n'}event: close\ndata: ${data}\n\n`);
    this.closing = true;
    this.response.end();
    const { socket } = this;
    const late = setTimeout(() => socket.destroy(), closeWithinMs);
    socket.once('close', () => clearTimeout(late));
  }

  terminate(): void {
    this.closing = true;
    this.socket.destroy();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

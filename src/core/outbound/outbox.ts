// hot path
import type { SharedFrame } from '../frame/shared-frame.js';
import type { LiveSocket } from '../ports/socket.js';
import { Backlog, type SlowPeer, type SlowReaderQueue } from './backlog.js';
import type { Backlogs } from './backlogs.js';
import type { Flushable, Flusher } from './flusher.js';

/**
 * Bytes after which frames are written before the tick ends, so that a burst meets the peer's real
 * pace.
 */
export const earlyWriteBytes = 65_536;

/** Slowest supported line: a large answer gets one second per 16 KiB, as on the client. [L-8.6] */
export const slowestBytesPerMs = 16.384;

/** Shared by all outboxes of a server. */
export interface OutboxContext {
  readonly flusher: Flusher;
  readonly backlogs: Backlogs;
}

/** Outbound queue of one connection. All its data frames pass here, so none overtakes another. */
export class Outbox implements Flushable {
  private first: SharedFrame | undefined;
  /** All queued frames including the first, once there is more than one. */
  private several: SharedFrame[] | undefined;
  private waitingBytes = 0;
  private mark = 0;
  private listed = false;
  private ready = false;
  private readonly windowBits: number;
  /** Queue of everything while the peer reads too slowly. */
  private backlog: Backlog | undefined;
  /** Bytes of large answers, queued or sent, that no pong has confirmed. */
  private largeBytes = 0;
  /** The part of them that was sent before the pending ping. */
  private largeBytesPinged = 0;

  constructor(
    private readonly socket: LiveSocket,
    private readonly context: OutboxContext,
    private readonly peer: SlowPeer,
  ) {
    this.windowBits = socket.windowBits;
  }

  /** Bytes not yet passed to the operating system, here and in the socket. */
  get queuedBytes(): number {
    return this.waitingBytes + (this.backlog?.bytes ?? 0) + this.socket.bufferedBytes;
  }

  /** Whether the peer reads more slowly than data is sent. */
  get behind(): boolean {
    return this.backlog !== undefined || this.socket.bufferedBytes > 0;
  }

  /** Whether frames wait here because the socket is full. */
  get hasBacklog(): boolean {
    return this.backlog !== undefined;
  }

  /** Bytes of large answers that were sent but not confirmed by a pong. [L-8.6] */
  get unconfirmedBytes(): number {
    return this.largeBytes - (this.backlog?.largeBytes ?? 0);
  }

  /** Extra time that the peer gets for large answers. */
  get spareMs(): number {
    return this.unconfirmedBytes / slowestBytesPerMs;
  }

  /** Extra time for the pending pong. */
  get pongSpareMs(): number {
    return this.largeBytesPinged / slowestBytesPerMs;
  }

  /** A ping was sent. Its pong will confirm everything sent before. */
  pinged(): void {
    this.largeBytesPinged = this.unconfirmedBytes;
  }

  ponged(): void {
    this.largeBytes -= this.largeBytesPinged;
    this.largeBytesPinged = 0;
  }

  push(shared: SharedFrame): void {
    const frame = this.windowBits === 0 ? shared : shared.for(this.windowBits);
    if (frame.isFragment) this.largeBytes += frame.bytes.byteLength;
    if (this.backlog !== undefined) {
      this.backlog.push(frame);
      return;
    }
    if (!this.listed) {
      this.listed = true;
      this.context.flusher.add(this);
    }
    if (this.first === undefined) this.first = frame;
    else if (this.several === undefined) this.several = [this.first, frame];
    else this.several.push(frame);
    this.mark = (Math.imul(this.mark, 31) + frame.mark) | 0;
    this.waitingBytes += frame.bytes.byteLength;
    if (this.waitingBytes > earlyWriteBytes) this.flush();
  }

  /** The lane has new data for the peer, to be sent after everything queued now. */
  wait(lane: SlowReaderQueue, bytes: number, messages: number): void {
    this.fallBehind().wait(lane, bytes, messages);
  }

  /** Too much is queued elsewhere for the peer. */
  giveUp(): void {
    this.peer.tooSlow();
  }

  /** The subscription of the lane has ended. */
  leave(lane: SlowReaderQueue): void {
    this.backlog?.leave(lane);
  }

  look(): void {
    this.ready = this.socket.open && this.socket.bufferedBytes === 0;
  }

  /** Called at the end of the flusher's tick. */
  tick(): void {
    this.listed = false;
    if (this.ready) this.write();
    else this.flush();
  }

  /** Writes the queue, or keeps it if the socket is still full. */
  flush(): void {
    const { first, socket } = this;
    if (first === undefined) return;
    if (!socket.open) this.clear();
    else if (socket.bufferedBytes > 0) this.fallBehind();
    else this.write();
  }

  /** Writes everything, for a connection that is about to close. */
  finish(): void {
    this.flush();
    this.backlog?.finish();
  }

  /** Discards the queue. */
  drop(): void {
    this.clear();
    this.backlog?.drop();
    this.backlog = undefined;
  }

  private write(): void {
    const { first, several, waitingBytes, mark } = this;
    if (first === undefined) return;
    this.clear();
    if (several === undefined) this.socket.write(first.bytes);
    else this.writeJoined(several, waitingBytes, mark);
  }

  private writeJoined(frames: readonly SharedFrame[], byteLength: number, mark: number): void {
    const { joins } = this.context.flusher;
    this.socket.write(joins.bytesOf(frames, mark, byteLength));
    if (this.socket.bufferedBytes === 0) joins.giveBack();
  }

  private fallBehind(): Backlog {
    if (this.backlog !== undefined) return this.backlog;
    const { first, several, socket, peer } = this;
    const backlog = new Backlog(socket, this.context.backlogs, {
      tooSlow: () => peer.tooSlow(),
      caughtUp: () => (this.backlog = undefined),
      wroteLarge: (bytes) => (this.largeBytes += bytes),
      spareMs: () => this.spareMs,
    });
    this.backlog = backlog;
    this.clear();
    if (several !== undefined) for (const frame of several) backlog.push(frame);
    else if (first !== undefined) backlog.push(first);
    return backlog;
  }

  private clear(): void {
    this.first = undefined;
    this.several = undefined;
    this.waitingBytes = 0;
    this.mark = 0;
  }
}

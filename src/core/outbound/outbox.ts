// hot path
import type { SharedFrame } from '../frame/shared-frame.js';
import type { LiveSocket } from '../ports/socket.js';
import { Backlog, type SlowPeer, type Lane } from './backlog.js';
import type { Backlogs } from './backlogs.js';
import type { Flushable, Flusher } from './flusher.js';

/** Bytes after which a tick's frames are written before the tick ends, so that a burst meets the peer's true pace. */
export const earlyWriteBytes = 65_536;

/** How slow a line may be: a large answer has a second for every 16 KiB, at the client as well. [L-8.6] */
export const slowestBytesPerMs = 16.384;

/** What the outboxes of a server share. */
export interface OutboxContext {
  readonly flusher: Flusher;
  readonly backlogs: Backlogs;
}

/** What waits to be sent to one connection: the one door for all its data frames, so that none overtakes another. */
export class Outbox implements Flushable {
  private first: SharedFrame | undefined;
  /** All that wait, the first one too, once they are more than one. */
  private several: SharedFrame[] | undefined;
  private waitingBytes = 0;
  private mark = 0;
  private listed = false;
  private ready = false;
  private readonly windowBits: number;
  /** Everything that waits, while the peer reads more slowly than it is sent to. */
  private backlog: Backlog | undefined;
  /** Bytes of large answers, here or sent, that no pong has confirmed. */
  private largeBytes = 0;
  /** Those of them that were sent before the ping whose pong is awaited. */
  private largeBytesPinged = 0;

  constructor(
    private readonly socket: LiveSocket,
    private readonly context: OutboxContext,
    private readonly peer: SlowPeer,
  ) {
    this.windowBits = socket.windowBits;
  }

  /** Bytes that the peer has not been given yet, here and in the socket. */
  get queuedBytes(): number {
    return this.waitingBytes + (this.backlog?.bytes ?? 0) + this.socket.bufferedBytes;
  }

  /** Whether the peer reads more slowly than it is sent to. */
  get behind(): boolean {
    return this.backlog !== undefined || this.socket.bufferedBytes > 0;
  }

  /** Whether something waits here because the socket is full. */
  get hasBacklog(): boolean {
    return this.backlog !== undefined;
  }

  /** Bytes of large answers that were sent and that no pong has confirmed. [L-8.6] */
  get unconfirmedBytes(): number {
    return this.largeBytes - (this.backlog?.largeBytes ?? 0);
  }

  /** How much longer the peer may take, because of large answers, than for what is small. */
  get spareMs(): number {
    return this.unconfirmedBytes / slowestBytesPerMs;
  }

  /** The same for the pong that is awaited. */
  get pongSpareMs(): number {
    return this.largeBytesPinged / slowestBytesPerMs;
  }

  /** A ping is sent: its pong will confirm what was sent before. */
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

  /** The lane has something for the peer, which comes after all that waits now; so much was added to it. */
  wait(lane: Lane, bytes: number, messages: number): void {
    this.fallBehind().wait(lane, bytes, messages);
  }

  /** Too much waits for the peer elsewhere. */
  giveUp(): void {
    this.peer.tooSlow();
  }

  /** The lane's subscription is over. */
  leave(lane: Lane): void {
    this.backlog?.leave(lane);
  }

  look(): void {
    this.ready = this.socket.open && this.socket.bufferedBytes === 0;
  }

  /** The end of the flusher's tick. */
  tick(): void {
    this.listed = false;
    if (this.ready) this.write();
    else this.flush();
  }

  /** Writes what waits, or lets it wait on while what was written before is still there. */
  flush(): void {
    const { first, socket } = this;
    if (first === undefined) return;
    if (!socket.open) this.clear();
    else if (socket.bufferedBytes > 0) this.fallBehind();
    else this.write();
  }

  /** Writes everything, for a connection that is about to be closed. */
  finish(): void {
    this.flush();
    this.backlog?.finish();
  }

  /** Forgets what waits. */
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

// hot path
import type { SharedFrame } from '../frame/shared-frame.js';
import type { LiveSocket } from '../ports/socket.js';
import type { Flusher } from './flusher.js';

/** Bytes after which a tick's frames are written before the tick ends, so that a burst meets the peer's true pace. */
export const earlyWriteBytes = 65_536;

/** Told when a peer is too far behind. */
export interface SlowPeer {
  tooSlow(): void;
}

/** What waits to be sent to one connection: the one door for all its data frames, so that none overtakes another. */
export class Outbox {
  private first: SharedFrame | undefined;
  /** All that wait, the first one too, once they are more than one. */
  private several: SharedFrame[] | undefined;
  private waitingBytes = 0;
  private mark = 0;
  private listed = false;

  constructor(
    private readonly socket: LiveSocket,
    private readonly flusher: Flusher,
    private readonly thresholdBytes: number,
    private readonly peer: SlowPeer,
  ) {}

  /** Bytes that the peer has not been given yet, here and in the socket. */
  get queuedBytes(): number {
    return this.waitingBytes + this.socket.bufferedBytes;
  }

  push(frame: SharedFrame): void {
    if (!this.listed) {
      this.listed = true;
      this.flusher.add(this);
    }
    if (this.first === undefined) this.first = frame;
    else if (this.several === undefined) this.several = [this.first, frame];
    else this.several.push(frame);
    this.mark = (Math.imul(this.mark, 31) + frame.mark) | 0;
    this.waitingBytes += frame.bytes.byteLength;
    if (this.waitingBytes > earlyWriteBytes) this.flush();
  }

  /** The end of the flusher's tick. */
  tick(): void {
    this.listed = false;
    this.flush();
  }

  /** Writes what waits, unless too much of what was written before is still there. [L-9.2] */
  flush(): void {
    const { first, several, waitingBytes, mark, socket } = this;
    if (first === undefined) return;
    this.drop();
    if (!socket.open) return;
    const { bufferedBytes } = socket;
    if (bufferedBytes > this.thresholdBytes) this.peer.tooSlow();
    else if (several === undefined) socket.write(first.bytes);
    else socket.write(this.flusher.joinsFor(bufferedBytes).bytesOf(several, mark, waitingBytes));
  }

  /** Forgets what waits. */
  drop(): void {
    this.first = undefined;
    this.several = undefined;
    this.waitingBytes = 0;
    this.mark = 0;
  }
}

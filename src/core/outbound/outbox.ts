// hot path
import type { SharedFrame } from '../frame/shared-frame.js';
import type { LiveSocket } from '../ports/socket.js';
import type { Flusher } from './flusher.js';
import type { Sequence } from './sequence.js';

/** Bytes after which a tick's frames are written before the tick ends, so that a burst meets the peer's true pace. */
export const earlyWriteBytes = 65_536;

/** Told when a peer is too far behind. */
export interface SlowPeer {
  tooSlow(): void;
}

/** What waits to be sent to one connection: the one door for all its data frames, so that none overtakes another. */
export class Outbox {
  private waiting: Sequence | undefined;
  private listed = false;

  constructor(
    private readonly socket: LiveSocket,
    private readonly flusher: Flusher,
    private readonly thresholdBytes: number,
    private readonly peer: SlowPeer,
  ) {}

  /** Bytes that the peer has not been given yet, here and in the socket. */
  get queuedBytes(): number {
    return (this.waiting?.byteLength ?? 0) + this.socket.bufferedBytes;
  }

  push(frame: SharedFrame): void {
    if (!this.listed) {
      this.listed = true;
      this.flusher.add(this);
    }
    const waiting = (this.waiting ?? this.flusher.start).followedBy(frame);
    this.waiting = waiting;
    if (waiting.byteLength > earlyWriteBytes) this.flush();
  }

  /** The end of the flusher's tick. */
  tick(): void {
    this.listed = false;
    this.flush();
  }

  /** Writes what waits, unless too much of what was written before is still there. [L-9.2] */
  flush(): void {
    const { waiting, socket } = this;
    if (waiting === undefined) return;
    this.waiting = undefined;
    if (!socket.open) return;
    if (socket.bufferedBytes > this.thresholdBytes) this.peer.tooSlow();
    else socket.write(waiting.bytes());
  }

  /** Forgets what waits. */
  drop(): void {
    this.waiting = undefined;
  }
}

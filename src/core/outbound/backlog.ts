// hot path
import { Buffer } from 'node:buffer';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Drained, LiveSocket } from '../ports/socket.js';
import type { Backlogs, Waiting } from './backlogs.js';

/**
 * Queue of one subscription, separate from the connection's other frames while the peer is slow.
 * Publications in it can still be merged or dropped.
 */
export interface SlowReaderQueue {
  /** Bytes queued. */
  readonly queuedBytes: number;
  /** Messages queued. */
  readonly queuedMessages: number;
  /** Whether a frame of it ends a write, because it is large. */
  readonly endsWrite?: true;
  /**
   * Next frame to write, or `undefined` if there is none. It is then removed until it waits again.
   */
  take(): SharedFrame | undefined;
  /** Too much waits for the peer: drops what the subscription can do without. */
  shed(): void;
  /** Drops data queued before this time, if it has a maximum age. */
  shedBefore(ms: number): void;
}

/** Bytes per write to a slow peer. Small, so that a peer that reads slowly is seen to read. */
export const behindWriteBytes = 16_384;

/** Called when a peer is too far behind. */
export interface SlowPeer {
  tooSlow(): void;
}

/** Called when a backlog ends. */
export interface BacklogOwner extends SlowPeer {
  /** Everything was written. */
  caughtUp(): void;
  /** A large frame of this many bytes is written, which was never queued. */
  wroteLarge(bytes: number): void;
  /** Extra milliseconds for large answers that were sent. */
  spareMs(): number;
}

/** Number of frames pushed up to a time. */
interface Milestone {
  readonly count: number;
  readonly ms: number;
}

/**
 * Queue of a peer whose socket is full. It is written in small parts as the peer reads, because
 * data here is shared and can still be dropped, unlike data in a socket. Frames go first, in order,
 * then the lanes in turn.
 */
export class Backlog implements Drained, Waiting {
  /** Bytes queued. */
  bytes = 0;
  /** Bytes of large answers. They are no sign that a peer reads too slowly. [L-8.6] */
  largeBytes = 0;
  /** Messages queued. */
  private messages = 0;
  private frames: SharedFrame[] = [];
  private readonly lanes = new Set<SlowReaderQueue>();
  private pushed = 0;
  private milestones: Milestone[] = [];
  private over = false;
  private writtenAtLook = 0;
  private spareMsAtLook = 0;
  /** When the peer last read part of a large answer. Data behind it ages only from then on. */
  private readMs = -Infinity;

  constructor(
    private readonly socket: LiveSocket,
    private readonly backlogs: Backlogs,
    private readonly owner: BacklogOwner,
  ) {
    backlogs.add(this);
    socket.whenDrained(this);
  }

  push(frame: SharedFrame): void {
    if (this.over) return;
    this.frames.push(frame);
    this.pushed += 1;
    this.messages += frame.messages;
    if (frame.isFragment) this.largeBytes += frame.bytes.byteLength;
    this.count(frame.bytes.byteLength);
    if (this.isTooMuch) this.shed();
  }

  /** The lane has data: `bytes` more, less what that data replaces. */
  wait(lane: SlowReaderQueue, bytes: number, messages: number): void {
    if (this.over) return;
    this.lanes.add(lane);
    this.messages += messages;
    this.count(bytes);
    if (this.isTooMuch) this.shed();
  }

  /** The subscription of the lane has ended. */
  leave(lane: SlowReaderQueue): void {
    if (!this.lanes.delete(lane)) return;
    this.messages -= lane.queuedMessages;
    this.count(-lane.queuedBytes);
  }

  /** The socket is empty, so more can be written. */
  drained(): void {
    if (this.over) return;
    while (this.socket.open && this.socket.bufferedBytes === 0) {
      const bytes = this.next();
      if (bytes === undefined) {
        this.drop();
        this.owner.caughtUp();
        return;
      }
      this.socket.write(bytes);
    }
    if (this.socket.open) this.socket.whenDrained(this);
    else this.drop();
  }

  /** Writes everything, whatever the socket holds. */
  finish(): void {
    for (let bytes = this.next(); bytes !== undefined; bytes = this.next()) this.socket.write(bytes);
  }

  /** Called periodically: drops what has waited too long. [L-9.5] */
  look(nowMs: number): void {
    const spareMs = this.noteReading(nowMs);
    const latestMs = nowMs - this.backlogs.budget.maxQueueAgeMs - spareMs;
    if (latestMs > this.readMs)
      for (const lane of this.lanes) this.countIn(lane, () => lane.shedBefore(latestMs));
    const written = this.pushed - this.frames.length;
    this.milestones = this.milestones.filter(({ count }) => count > written);
    const [oldest] = this.milestones;
    if (oldest !== undefined && oldest.ms <= latestMs) this.owner.tooSlow();
    else if (this.frames.length > 0) this.milestones.push({ count: this.pushed, ms: nowMs });
  }

  /**
   * Notes whether the peer has read part of a large answer since the last check. Returns the extra
   * time it has for the unread rest.
   */
  private noteReading(nowMs: number): number {
    const spareMs = this.owner.spareMs();
    const written = this.pushed - this.frames.length;
    const reads = written > this.writtenAtLook || spareMs < this.spareMsAtLook;
    if (reads && (spareMs > 0 || this.largeBytes > 0)) {
      this.milestones = [];
      this.readMs = nowMs;
    }
    this.writtenAtLook = written;
    this.spareMsAtLook = spareMs;
    return spareMs;
  }

  /** Drops what the lanes can do without, and the peer if that is not enough or if `must`. */
  shed(must = false): void {
    for (const lane of this.lanes) this.countIn(lane, () => lane.shed());
    if (must ? this.bytes > 0 : this.isTooMuch) this.owner.tooSlow();
  }

  drop(): void {
    this.over = true;
    this.frames = [];
    this.messages = 0;
    this.largeBytes = 0;
    this.lanes.clear();
    this.count(-this.bytes);
    this.backlogs.remove(this);
  }

  private get isTooMuch(): boolean {
    const { backPressureThresholdBytes, maxQueuedMessages } = this.backlogs.budget;
    // A fragment in the socket is at most 64 KiB.
    if (this.bytes - this.largeBytes + this.socket.bufferedBytes > backPressureThresholdBytes) return true;
    return this.messages > maxQueuedMessages;
  }

  /** Bytes of the next write, at least one frame. */
  private next(): Uint8Array | undefined {
    let frames = this.nextFrames();
    // A lane that dropped data may have queued a notice instead of returning a frame.
    if (frames.length === 0) frames = this.nextFrames();
    const [first] = frames;
    if (frames.length > 1) return Buffer.concat(frames.map(({ bytes }) => bytes));
    return first?.bytes;
  }

  private nextFrames(): SharedFrame[] {
    let bytes = 0;
    let count = 0;
    for (; count < this.frames.length && bytes < behindWriteBytes; count++) {
      const frame = this.frames[count];
      if (frame === undefined) break;
      bytes += frame.bytes.byteLength;
      this.messages -= frame.messages;
      if (frame.isFragment) this.largeBytes -= frame.bytes.byteLength;
    }
    this.count(-bytes);
    const taken = this.frames.splice(0, count);
    // Data in a lane is newer than these frames or does not depend on their order.
    if (this.frames.length === 0) this.takeFromLanes(taken, bytes);
    return taken;
  }

  private takeFromLanes(taken: SharedFrame[], bytes: number): void {
    for (let byteLength = bytes; byteLength < behindWriteBytes && this.lanes.size > 0;) {
      for (const lane of this.lanes) {
        const frame = this.countIn(lane, () => lane.take())?.for(this.socket.windowBits);
        if (frame === undefined) this.lanes.delete(lane);
        else taken.push(frame);
        byteLength += frame?.bytes.byteLength ?? 0;
        if (frame === undefined || lane.endsWrite !== true) continue;
        this.owner.wroteLarge(frame.bytes.byteLength);
        // The other lanes get a turn before its next one.
        this.lanes.delete(lane);
        this.lanes.add(lane);
        return;
      }
    }
  }

  private countIn<T>(lane: SlowReaderQueue, run: () => T): T {
    const { queuedBytes, queuedMessages } = lane;
    const result = run();
    this.messages += lane.queuedMessages - queuedMessages;
    this.count(lane.queuedBytes - queuedBytes);
    return result;
  }

  private count(bytes: number): void {
    this.bytes += bytes;
    this.backlogs.count(bytes);
  }
}

// hot path
import { Buffer } from 'node:buffer';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Drained, LiveSocket } from '../ports/socket.js';
import type { Backlogs, Waiting } from './backlogs.js';

/**
 * What waits for one subscription apart from the connection's other frames, while the peer is behind: it can be merged or
 * left out there, which a frame that is on its way cannot.
 */
export interface Lane {
  /** Bytes that wait in it. */
  readonly queuedBytes: number;
  /** Messages that wait in it. */
  readonly queuedMessages: number;
  /** The next frame to be written; `undefined` when there is none, and then it is over until it is added again. */
  take(): SharedFrame | undefined;
  /** Too much waits for the peer: gives up what it can do without. */
  shed(): void;
  /** Gives up what has waited since before this moment of the clock, if it must not grow that old. */
  shedBefore(ms: number): void;
}

/** Bytes of one write to a peer that is behind: few, so that one which reads slowly is seen to read. */
export const behindWriteBytes = 16_384;

/** Told when a peer is too far behind. */
export interface SlowPeer {
  tooSlow(): void;
}

/** Told how a backlog ends. */
export interface BacklogOwner extends SlowPeer {
  /** Everything is on its way. */
  caughtUp(): void;
  /** Milliseconds that the peer may take for large answers that were sent. */
  spareMs(): number;
}

/** So many frames had been pushed by then. */
interface Milestone {
  readonly count: number;
  readonly ms: number;
}

/**
 * What waits for a peer whose socket is full. It is written bit by bit as the peer reads: what waits here is shared with
 * others and can still be given up, what lies in a socket cannot. Frames go first, in order, then the lanes by turns.
 */
export class Backlog implements Drained, Waiting {
  /** Bytes that wait here. */
  bytes = 0;
  /** Those of large answers: they are no sign of a peer that reads too slowly. [L-8.6] */
  largeBytes = 0;
  /** Messages that wait here. */
  private messages = 0;
  private frames: SharedFrame[] = [];
  private readonly lanes = new Set<Lane>();
  private pushed = 0;
  private milestones: Milestone[] = [];
  private over = false;
  private writtenAtLook = 0;
  private spareMsAtLook = 0;
  /** When the peer was last seen to read a large answer: what waits behind it grows old only from then on. */
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

  /** The lane has something; so much was added to it, less what that replaces. */
  wait(lane: Lane, bytes: number, messages: number): void {
    if (this.over) return;
    this.lanes.add(lane);
    this.messages += messages;
    this.count(bytes);
    if (this.isTooMuch) this.shed();
  }

  /** The lane's subscription is over. */
  leave(lane: Lane): void {
    if (!this.lanes.delete(lane)) return;
    this.messages -= lane.queuedMessages;
    this.count(-lane.queuedBytes);
  }

  /** The socket is empty: more can be written. */
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

  /** Now and then: what has waited too long. [L-9.5] */
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

  /** Whether the peer has read something of a large answer since the last look; returns how long it may take for what it has not read. */
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

  /** Gives up what its lanes can do without, and the peer if that is not enough, or if `must`. */
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

  /** The next write's worth; at least one frame. */
  private next(): Uint8Array | undefined {
    let frames = this.nextFrames();
    // A lane that left something out may have said so instead of giving a frame.
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
    // What waits in a lane came after it, or does not mind.
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
      }
    }
  }

  private countIn<T>(lane: Lane, run: () => T): T {
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

import type { SharedFrame } from '../frame/shared-frame.js';
import type { Backlogs, Waiting } from '../outbound/backlogs.js';

/** Maximum of publications held for one pending subscribe. [L-3.11] */
export const holdLimits = { count: 1_000, bytes: 1_048_576 } as const;

/** One publication held until a subscribe is answered. */
export interface HeldPublication {
  readonly offset: number;
  readonly frame: SharedFrame;
}

/**
 * Publications to a topic since the buffer was opened, in order and up to a limit. Holds only the
 * newest stream.
 */
export class HoldBuffer {
  readonly publications: HeldPublication[] = [];
  /** Whether a publication did not fit, so the buffer has a gap at its end. */
  overflowed = false;
  private heldBytes = 0;
  private epoch: string | undefined;

  /** Bytes of the held frames. */
  get byteLength(): number {
    return this.overflowed ? 0 : this.heldBytes;
  }

  add(epoch: string, offset: number, frame: SharedFrame): void {
    if (this.overflowed) return;
    if (epoch !== this.epoch) this.startOver(epoch);
    this.heldBytes += frame.bytes.byteLength;
    if (this.publications.length >= holdLimits.count || this.heldBytes > holdLimits.bytes) {
      this.overflow();
      return;
    }
    this.publications.push({ offset, frame });
  }

  /** Drops everything and holds nothing more. */
  overflow(): void {
    this.overflowed = true;
    this.publications.length = 0;
  }

  /**
   * Whether the buffer can follow a position in `epoch`, because no other stream came in between.
   */
  follows(epoch: string): boolean {
    return this.publications.length === 0 || this.epoch === epoch;
  }

  /** Publications of a lost stream follow nothing, so they are dropped. */
  private startOver(epoch: string): void {
    this.epoch = epoch;
    this.publications.length = 0;
    this.heldBytes = 0;
  }
}

const none: readonly HoldBuffer[] = [];

/** The hold buffers of one topic. They share frames, so the largest one is counted. */
export class HoldBuffers implements Waiting {
  /** Bytes held. */
  bytes = 0;
  /** Set while there are any: most topics have none, and there can be many topics. */
  private all: Set<HoldBuffer> | undefined;

  constructor(private readonly backlogs: Backlogs) {}

  get size(): number {
    return this.all?.size ?? 0;
  }

  [Symbol.iterator](): Iterator<HoldBuffer> {
    return this.holds[Symbol.iterator]();
  }

  private get holds(): Iterable<HoldBuffer> {
    return this.all ?? none;
  }

  open(): HoldBuffer {
    const hold = new HoldBuffer();
    (this.all ??= new Set()).add(hold);
    return hold;
  }

  /** Every hold must be closed, or the topic stays open. */
  close(hold: HoldBuffer): void {
    // The remaining holds are counted with the next publication. They hold no more than was
    // counted.
    if (this.all?.delete(hold) !== true || this.all.size > 0) return;
    this.all = undefined;
    this.count();
  }

  add(epoch: string, offset: number, frame: SharedFrame): void {
    for (const hold of this.holds) hold.add(epoch, offset, frame);
    this.count();
  }

  /** Nothing grows too old here, because every pending subscribe has a deadline. */
  look(): void {}

  /** Drops everything. The pending subscribes must start over. */
  shed(): void {
    for (const hold of this.holds) hold.overflow();
    this.count();
  }

  private count(): void {
    let bytes = 0;
    for (const hold of this.holds) bytes = Math.max(bytes, hold.byteLength);
    if (bytes === this.bytes) return;
    if (this.bytes === 0) this.backlogs.add(this);
    this.backlogs.count(bytes - this.bytes);
    this.bytes = bytes;
    if (bytes === 0) this.backlogs.remove(this);
  }
}

/**
 * A read or a snapshot in progress, shared by all subscribes that need it. Publications made since
 * it began are held once for all of them, so late joiners miss nothing. [L-6.1] [L-6.2]
 */
export class SharedRun<Result> {
  private users = 0;

  constructor(
    readonly hold: HoldBuffer,
    readonly result: Promise<Result>,
    private readonly onUnused: () => void,
  ) {
    // Each waiter handles a failure; without waiters no one needs to.
    result.catch(() => {});
  }

  /** Whether several waiters share it, so it may have begun before one of them joined. */
  get isShared(): boolean {
    return this.users > 1;
  }

  /** Adds a waiter, which must call `leave` when done. */
  join(): this {
    this.users += 1;
    return this;
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0) this.onUnused();
  }
}

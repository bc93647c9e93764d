// hot path
import { Buffer } from 'node:buffer';
import type { SharedFrame } from '../frame/shared-frame.js';

interface Joined {
  readonly frames: readonly SharedFrame[];
  /** Set for the second connection that gets them. */
  bytes: Buffer | undefined;
}

/** Must be a power of two. */
const places = 64;

/**
 * Joins the frames of each connection into one buffer. Connections with the same frames in the same
 * order share it. Only the last few are kept, until the end of the tick, so nothing piles up if
 * none is shared.
 */
export class Joins {
  private readonly recent: (Joined | undefined)[] = Array.from({ length: places }, () => undefined);
  private readonly slab = new Slab();
  private used = false;
  /** The last buffer given out is not kept for sharing. */
  private lent = false;

  /** @param mark - equal for equal frames in equal order, and almost always different otherwise */
  bytesOf(frames: readonly SharedFrame[], mark: number, byteLength: number): Buffer {
    const place = (mark ^ (mark >>> 16)) & (places - 1);
    const known = this.recent[place];
    const isKnown = known !== undefined && areSame(known.frames, frames);
    this.lent = !isKnown;
    if (isKnown && known.bytes !== undefined) return known.bytes;
    const bytes = this.slab.take(byteLength);
    copy(frames, bytes);
    if (isKnown) known.bytes = bytes;
    else this.recent[place] = { frames, bytes: undefined };
    this.used = true;
    return bytes;
  }

  /** The system has accepted the last buffer, so its memory can be reused unless it is shared. */
  giveBack(): void {
    if (this.lent) this.slab.giveBack();
    this.lent = false;
  }

  /** Drops all shared buffers. */
  forget(): void {
    if (this.used) this.recent.fill(undefined);
    this.used = false;
  }
}

function areSame(one: readonly SharedFrame[], other: readonly SharedFrame[]): boolean {
  const { length } = one;
  if (other.length !== length) return false;
  for (let i = 0; i < length; i++) if (one[i] !== other[i]) return false;
  return true;
}

function copy(frames: readonly SharedFrame[], into: Buffer): void {
  let end = 0;
  for (let i = 0; i < frames.length; i++) {
    const bytes = frames[i]?.bytes;
    if (bytes === undefined) continue;
    into.set(bytes, end);
    end += bytes.byteLength;
  }
}

const slabBytes = 32_768;

/**
 * Cuts small buffers out of a large one, because allocating one costs more than filling it. Each
 * keeps the whole slab in memory, so use it only for short-lived bytes.
 */
export class Slab {
  private slab = Buffer.allocUnsafeSlow(slabBytes);
  private used = 0;
  private last = 0;

  take(byteLength: number): Buffer {
    if (byteLength > slabBytes / 4) {
      this.last = this.used;
      return Buffer.allocUnsafeSlow(byteLength);
    }
    if (this.used + byteLength > slabBytes) {
      this.slab = Buffer.allocUnsafeSlow(slabBytes);
      this.used = 0;
    }
    this.last = this.used;
    this.used += byteLength;
    return this.slab.subarray(this.last, this.used);
  }

  /** Frees the last buffer, so that the next one reuses its memory while it is in the CPU cache. */
  giveBack(): void {
    this.used = this.last;
  }
}

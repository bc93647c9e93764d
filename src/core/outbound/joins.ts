// hot path
import { Buffer } from 'node:buffer';
import type { SharedFrame } from '../frame/shared-frame.js';

interface Joined {
  readonly frames: readonly SharedFrame[];
  /** From the second connection on that gets them. */
  bytes: Buffer | undefined;
}

/** A power of two. */
const places = 64;

/**
 * The frames of many connections, as one buffer for each. Who got the same ones in the same order shares the buffer: the
 * last few are remembered until the tick's end, and only a few, so that where nobody shares nothing piles up.
 */
export class Joins {
  private readonly recent: (Joined | undefined)[] = Array.from({ length: places }, () => undefined);
  private readonly slab = new Slab();
  private used = false;
  /** What was given out last is remembered nowhere. */
  private lent = false;

  /** @param mark a number that equal frames in equal order have in common, and others nearly never */
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

  /** The system has taken what was given out last: nobody reads those bytes any more, unless they are remembered. */
  giveBack(): void {
    if (this.lent) this.slab.giveBack();
    this.lent = false;
  }

  /** Keeps nothing of what was joined up to here. */
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
 * Small buffers cut out of a large one, because to make one costs more than to fill it. Each keeps the whole of it in
 * memory: for bytes that are gone at once.
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

  /** Nobody needs what was taken last any more: its memory, which is warm, is the next one's. */
  giveBack(): void {
    this.used = this.last;
  }
}

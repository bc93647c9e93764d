// hot path
import { Buffer } from 'node:buffer';
import type { SharedFrame } from '../frame/shared-frame.js';

interface Joined {
  readonly frames: readonly SharedFrame[];
  readonly bytes: Buffer;
}

/** A power of two. */
const places = 64;

/**
 * The frames of many connections, as one buffer for each. Who got the same ones in the same order shares the buffer: the
 * last few are remembered until the tick's end, and only a few, so that where nobody shares nothing piles up.
 */
export class Joins {
  private readonly recent: (Joined | undefined)[] = Array.from({ length: places }, () => undefined);
  private used = false;

  constructor(private readonly allocate: (byteLength: number) => Buffer) {}

  /** @param mark a number that equal frames in equal order have in common, and others nearly never */
  bytesOf(frames: readonly SharedFrame[], mark: number, byteLength: number): Buffer {
    const place = (mark ^ (mark >>> 16)) & (places - 1);
    const known = this.recent[place];
    if (known !== undefined && areSame(known.frames, frames)) return known.bytes;
    const bytes = this.allocate(byteLength);
    copy(frames, bytes);
    this.recent[place] = { frames, bytes };
    this.used = true;
    return bytes;
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

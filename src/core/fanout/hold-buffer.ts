import type { SharedFrame } from '../frame/shared-frame.js';

/** Maximum of publications held for one pending subscribe. [L-3.11] */
export const holdLimits = { count: 1_000, bytes: 1_048_576 } as const;

/** One publication held until a subscribe is answered. */
export interface HeldPublication {
  readonly offset: number;
  readonly frame: SharedFrame;
}

/**
 * Publications to a topic since the buffer was opened, in order and up to a limit. HoldBuffers only the
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

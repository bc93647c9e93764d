import type { SharedFrame } from '../frame/shared-frame.js';

/** How much may be held back for one pending subscribe. [L-3.11] */
export const holdLimits = { count: 1_000, bytes: 1_048_576 } as const;

/** One publication that waits for a subscribe to be answered. */
export interface Held {
  readonly offset: number;
  readonly frame: SharedFrame;
}

/** What was published to a topic since a moment, in order, until the bound is reached; of one stream only, the newest. */
export class Hold {
  readonly publications: Held[] = [];
  /** Whether something did not fit: what is here has a gap at its end. */
  overflowed = false;
  private heldBytes = 0;
  private epoch: string | undefined;

  /** Bytes of the frames that are here. */
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

  /** Gives up what is here, and takes nothing more. */
  overflow(): void {
    this.overflowed = true;
    this.publications.length = 0;
  }

  /** Whether what is here can follow a position in `epoch`: the stream was not lost between the two. */
  follows(epoch: string): boolean {
    return this.publications.length === 0 || this.epoch === epoch;
  }

  /** What was held of a stream that is lost follows nothing any more. */
  private startOver(epoch: string): void {
    this.epoch = epoch;
    this.publications.length = 0;
    this.heldBytes = 0;
  }
}

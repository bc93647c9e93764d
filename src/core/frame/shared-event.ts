// hot path
import type { SharedFrame } from './shared-frame.js';
import type { Publication } from '../ports/broker.js';

/** Makes the frame of a publication that stands for everything `from` its offset. */
export type MakeMerged = (publication: Publication, from: number) => SharedFrame;

/** One publication on its way to subscribers that may get it merged with others: each frame is made once for all. */
export class SharedEvent {
  readonly offset: number;
  readonly key: string | undefined;
  private merged: Map<number, SharedFrame> | undefined;

  constructor(
    private readonly publication: Publication,
    /** The publication by itself. */
    readonly frame: SharedFrame,
    private readonly make: MakeMerged,
  ) {
    this.offset = publication.offset;
    this.key = publication.key;
  }

  /** The frame that stands for `from` up to this publication. [L-4.7] */
  frameFrom(from: number): SharedFrame {
    if (from >= this.offset) return this.frame;
    let frame = this.merged?.get(from);
    if (frame === undefined) {
      frame = this.make(this.publication, from);
      (this.merged ??= new Map()).set(from, frame);
    }
    return frame;
  }
}

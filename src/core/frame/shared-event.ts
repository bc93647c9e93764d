// hot path
import type { SharedFrame } from './shared-frame.js';
import type { Publication } from '../ports/broker.js';

/** Creates the frame of a publication that covers everything `from` an earlier offset. */
export type MakeMerged = (publication: Publication, from: number) => SharedFrame;

/** One publication in delivery. Merged frames are created once for all subscribers. */
export class SharedEvent {
  readonly offset: number;
  readonly key: string | undefined;
  private merged: Map<number, SharedFrame> | undefined;

  constructor(
    private readonly publication: Publication,
    /** Frame of the publication alone. */
    readonly frame: SharedFrame,
    private readonly make: MakeMerged,
  ) {
    this.offset = publication.offset;
    this.key = publication.key;
  }

  /** Returns the frame that covers `from` up to this publication. [L-4.7] */
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

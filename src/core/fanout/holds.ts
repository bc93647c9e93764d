import type { SharedFrame } from '../frame/shared-frame.js';
import type { Backlogs, Waiting } from '../outbound/backlogs.js';
import { Hold } from './hold.js';

/** What one topic holds back for all who are about to read it. They share the frames, so the most of them is what counts. */
export class Holds implements Waiting {
  /** Bytes that are held back. */
  bytes = 0;
  private readonly all = new Set<Hold>();

  constructor(private readonly backlogs: Backlogs) {}

  get size(): number {
    return this.all.size;
  }

  [Symbol.iterator](): IterableIterator<Hold> {
    return this.all.values();
  }

  open(): Hold {
    const hold = new Hold();
    this.all.add(hold);
    return hold;
  }

  /** Give every hold back, or the topic stays open. */
  close(hold: Hold): void {
    // What the others hold is looked at with the next publication: it is no more than now.
    if (this.all.delete(hold) && this.all.size === 0) this.count();
  }

  add(epoch: string, offset: number, frame: SharedFrame): void {
    for (const hold of this.all) hold.add(epoch, offset, frame);
    this.count();
  }

  /** Nothing grows old here: whoever waits for a subscribe has a deadline. */
  look(): void {}

  /** Those who wait must start over. */
  shed(): void {
    for (const hold of this.all) hold.overflow();
    this.count();
  }

  private count(): void {
    let bytes = 0;
    for (const hold of this.all) bytes = Math.max(bytes, hold.byteLength);
    if (bytes === this.bytes) return;
    if (this.bytes === 0) this.backlogs.add(this);
    this.backlogs.count(bytes - this.bytes);
    this.bytes = bytes;
    if (bytes === 0) this.backlogs.remove(this);
  }
}

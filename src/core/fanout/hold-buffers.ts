import type { SharedFrame } from '../frame/shared-frame.js';
import type { Backlogs, Waiting } from '../outbound/backlogs.js';
import { HoldBuffer } from './hold-buffer.js';

/** The hold buffers of one topic. They share frames, so the largest one is counted. */
export class HoldBuffers implements Waiting {
  /** Bytes held. */
  bytes = 0;
  private readonly all = new Set<HoldBuffer>();

  constructor(private readonly backlogs: Backlogs) {}

  get size(): number {
    return this.all.size;
  }

  [Symbol.iterator](): IterableIterator<HoldBuffer> {
    return this.all.values();
  }

  open(): HoldBuffer {
    const hold = new HoldBuffer();
    this.all.add(hold);
    return hold;
  }

  /** Every hold must be closed, or the topic stays open. */
  close(hold: HoldBuffer): void {
    // The remaining holds are counted with the next publication. They hold no more than was
    // counted.
    if (this.all.delete(hold) && this.all.size === 0) this.count();
  }

  add(epoch: string, offset: number, frame: SharedFrame): void {
    for (const hold of this.all) hold.add(epoch, offset, frame);
    this.count();
  }

  /** Nothing grows too old here, because every pending subscribe has a deadline. */
  look(): void {}

  /** Drops everything. The pending subscribes must start over. */
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

// hot path
import { Buffer } from 'node:buffer';

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

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

  take(byteLength: number): Buffer {
    if (byteLength > slabBytes / 4) return Buffer.allocUnsafeSlow(byteLength);
    if (this.used + byteLength > slabBytes) {
      this.slab = Buffer.allocUnsafeSlow(slabBytes);
      this.used = 0;
    }
    const start = this.used;
    this.used += byteLength;
    return this.slab.subarray(start, this.used);
  }
}

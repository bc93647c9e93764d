import { Buffer } from 'node:buffer';

/** Versions of one topic that are remembered at least, and at most twice as many. */
export const maxKeyVersions = 10_000;

/**
 * The newest version of each key of one topic. A removed key keeps its version, so that an older publication that is late
 * does not bring it back. [L-6.6]
 *
 * In two generations: when the recent one is full, the one before it is forgotten. So the keys heard of last are kept,
 * without an order that would have to be written with each publication.
 */
export class KeyVersions {
  private recent = new Map<string, number>();
  private before = new Map<string, number>();
  private recentBytes = 0;
  private beforeBytes = 0;

  /** Bytes of the keys that are kept. */
  get byteLength(): number {
    return this.recentBytes + this.beforeBytes;
  }

  /** Keys, those of which both generations know counted twice. */
  get size(): number {
    return this.recent.size + this.before.size;
  }

  /** All of them, those heard of last at the end. */
  get entries(): readonly (readonly [key: string, version: number])[] {
    return [...this.before, ...this.recent];
  }

  get(key: string): number | undefined {
    return this.recent.get(key) ?? this.before.get(key);
  }

  set(key: string, version: number): void {
    if (!this.recent.has(key)) {
      if (this.recent.size >= maxKeyVersions) {
        this.before = this.recent;
        this.beforeBytes = this.recentBytes;
        this.recent = new Map();
        this.recentBytes = 0;
      }
      this.recentBytes += Buffer.byteLength(key);
    }
    this.recent.set(key, version);
  }

  /** Whether a publication of the key with this version comes too late. */
  isStale(key: string, version: number): boolean {
    return version <= (this.get(key) ?? -Infinity);
  }
}

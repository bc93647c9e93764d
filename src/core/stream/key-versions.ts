import { Buffer } from 'node:buffer';

/** Minimum number of versions kept per topic. The maximum is twice as many. */
export const maxKeyVersions = 10_000;

/**
 * The newest version of each key of one topic. A removed key keeps its version, so that a late
 * publication with an older one does not restore it. [L-6.6]
 *
 * Kept in two generations: when the recent one is full, the older one is dropped. This keeps the
 * most recent keys without an order to maintain on every publication.
 */
export class KeyVersions {
  private recent = new Map<string, number>();
  private before = new Map<string, number>();
  private recentBytes = 0;
  private beforeBytes = 0;

  /** Bytes of the kept keys. */
  get byteLength(): number {
    return this.recentBytes + this.beforeBytes;
  }

  /** Number of keys. Keys in both generations count twice. */
  get size(): number {
    return this.recent.size + this.before.size;
  }

  /** All entries, the most recent at the end. */
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

  /** Whether a publication of the key with this version is outdated. */
  isStale(key: string, version: number): boolean {
    return version <= (this.get(key) ?? -Infinity);
  }
}

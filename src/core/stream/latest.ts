import { Buffer } from 'node:buffer';
import type { LatestReading, LatestRule, Publication } from '../ports/broker.js';

/** Beyond these limits, the keys that were silent longest are dropped. */
export const latestLimits = { keys: 10_000, bytes: 1_048_576 } as const;

interface Remembered {
  readonly publication: Publication;
  /** Time of the publication. Unknown if an earlier version stored it. */
  readonly atMs: number | undefined;
}

/** The last publication of a topic, or the last of each key, for snapshots. [L-6.5] */
export class Latest {
  /** Bytes of JSON text held. */
  byteLength = 0;
  // Ordered by the last publication of each key.
  private readonly byKey = new Map<string, Remembered>();

  get publications(): readonly Publication[] {
    return this.reading(0).publications;
  }

  /** Those not older than `maxAgeMs`, in order, and their ages if that is given. */
  reading(nowMs: number, maxAgeMs?: number): Omit<LatestReading, 'top'> {
    const publications: Publication[] = [];
    const agesMs: (number | undefined)[] = [];
    for (const { publication, atMs } of this.byKey.values()) {
      const ageMs = atMs === undefined ? undefined : Math.max(0, nowMs - atMs);
      if (maxAgeMs !== undefined && ageMs !== undefined && ageMs > maxAgeMs) continue;
      publications.push(publication);
      agesMs.push(ageMs);
    }
    return maxAgeMs === undefined ? { publications } : { publications, agesMs };
  }

  /** Publications with their times, in order. */
  get entries(): readonly Remembered[] {
    return [...this.byKey.values()];
  }

  add(publication: Publication, rule: LatestRule, atMs?: number): void {
    const key = rule === 'last' ? '' : publication.key;
    if (key === undefined) return;
    this.forget(key);
    // A removed key leaves nothing, and a removal as last publication of a topic is not a state.
    // [L-6.6]
    if (publication.removed === true) return;
    this.byKey.set(key, { publication, atMs });
    this.byteLength += Buffer.byteLength(publication.data);
    while (
      this.byKey.size > latestLimits.keys ||
      (this.byteLength > latestLimits.bytes && this.byKey.size > 1)
    ) {
      const [silentLongest = ''] = this.byKey.keys();
      this.forget(silentLongest);
    }
  }

  private forget(key: string): void {
    const remembered = this.byKey.get(key);
    if (remembered === undefined) return;
    this.byKey.delete(key);
    this.byteLength -= Buffer.byteLength(remembered.publication.data);
  }
}

import { Buffer } from 'node:buffer';
import type { LatestRule, Publication } from '../ports/broker.js';

/** Beyond these, the keys that were silent longest are forgotten. */
export const latestLimits = { keys: 10_000, bytes: 1_048_576 } as const;

/** The last publication of a topic, or the last of each key, for snapshots. [L-6.5] */
export class Latest {
  /** Bytes of JSON text that are kept. */
  byteLength = 0;
  // Ordered by when each key was last published.
  private readonly byKey = new Map<string, Publication>();

  get publications(): readonly Publication[] {
    return [...this.byKey.values()];
  }

  add(publication: Publication, rule: LatestRule): void {
    const key = rule === 'last' ? '' : publication.key;
    if (key === undefined) return;
    this.forget(key);
    this.byKey.set(key, publication);
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
    const publication = this.byKey.get(key);
    if (publication === undefined) return;
    this.byKey.delete(key);
    this.byteLength -= Buffer.byteLength(publication.data);
  }
}

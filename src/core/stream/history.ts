import { Buffer } from 'node:buffer';
import type { HistoryRules, Publication, RecoveryLimits } from '../ports/broker.js';

interface Kept {
  readonly publication: Publication;
  readonly bytes: number;
  readonly atMs: number;
}

/** The newest publications of one topic, limited by count, age and bytes. [L-5.1] */
export class History {
  private kept: Kept[] = [];
  /** Index of the oldest one. Entries before it are dropped and removed from time to time. */
  private head = 0;
  /** Bytes of JSON text held. */
  byteLength = 0;

  get size(): number {
    return this.kept.length - this.head;
  }

  add(publication: Publication, rules: HistoryRules, nowMs: number): void {
    const bytes = Buffer.byteLength(publication.data);
    this.kept.push({ publication, bytes, atMs: nowMs });
    this.byteLength += bytes;
    while (this.size > rules.size || this.byteLength > rules.maxBytes) this.dropOldest();
    this.expire(rules.ttlMs, nowMs);
  }

  /** Drops publications older than `ttlMs`. */
  expire(ttlMs: number, nowMs: number): void {
    for (let oldest = this.kept[this.head]; oldest !== undefined; oldest = this.kept[this.head]) {
      if (nowMs - oldest.atMs <= ttlMs) return;
      this.dropOldest();
    }
  }

  /**
   * Returns everything after `offset` up to `top`, or `undefined` if some are gone or a limit is
   * exceeded.
   */
  after(offset: number, top: number, limits: RecoveryLimits): readonly Publication[] | undefined {
    const count = top - offset;
    if (count < 0 || count > limits.count || count > this.size) return undefined;
    const missed = this.kept.slice(this.kept.length - count);
    // A publication in between was not kept.
    if (count > 0 && missed[0]?.publication.offset !== offset + 1) return undefined;
    if (missed.reduce((sum, { bytes }) => sum + bytes, 0) > limits.bytes) return undefined;
    return missed.map(({ publication }) => publication);
  }

  private dropOldest(): void {
    this.byteLength -= this.kept[this.head]?.bytes ?? 0;
    this.head += 1;
    if (this.head > 32 && this.head * 2 > this.kept.length) {
      this.kept = this.kept.slice(this.head);
      this.head = 0;
    }
  }
}

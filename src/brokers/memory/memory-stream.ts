import type { HistoryRules, Publication, PublishOptions, RecoveryLimits } from '../../core/ports/broker.js';
import { History } from '../../core/stream/history.js';
import { Latest } from '../../core/stream/latest.js';
import type { Position } from '../../protocol/position.js';

/** One topic: its position, and what is kept of it. */
export class MemoryStream {
  private offset = 0;
  private history: History | undefined;
  private rules: HistoryRules | undefined;
  private latest: Latest | undefined;
  private newestVersion: number | undefined;

  constructor(private readonly epoch: string) {}

  get top(): Position {
    return { epoch: this.epoch, offset: this.offset };
  }

  /** Bytes of JSON text that are kept. */
  get byteLength(): number {
    return (this.history?.byteLength ?? 0) + (this.latest?.byteLength ?? 0);
  }

  get latestPublications(): readonly Publication[] {
    return this.latest?.publications ?? [];
  }

  /** Whether a publication of this version comes too late. */
  isStale(version: number | undefined): boolean {
    return version !== undefined && this.newestVersion !== undefined && version <= this.newestVersion;
  }

  /** The next publication, kept as the options say. */
  add(data: string, { key, history, latest, version }: PublishOptions, nowMs: number): Publication {
    this.offset += 1;
    this.newestVersion = version ?? this.newestVersion;
    const publication: Publication = { offset: this.offset, data, ...(key !== undefined && { key }) };
    if (history !== undefined && history.size > 0) {
      this.rules = history;
      this.history ??= new History();
      this.history.add(publication, history, nowMs);
    }
    if (latest !== undefined) (this.latest ??= new Latest()).add(publication, latest);
    return publication;
  }

  /** Everything after `since`, or `undefined` when it is not all here. */
  missed(since: Position, limits: RecoveryLimits, nowMs: number): readonly Publication[] | undefined {
    if (since.epoch !== this.epoch) return undefined;
    if (since.offset === this.offset) return [];
    this.expire(nowMs);
    return this.history?.after(since.offset, this.offset, limits);
  }

  expire(nowMs: number): void {
    if (this.rules !== undefined) this.history?.expire(this.rules.ttlMs, nowMs);
  }

  dropHistory(): void {
    this.history = undefined;
  }
}

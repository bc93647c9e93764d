import type {
  HistoryRules,
  LatestReading,
  Publication,
  BrokerPublishOptions,
  RecoveryLimits,
} from '../../core/ports/broker.js';
import { History } from '../../core/stream/history.js';
import { KeyVersions } from '../../core/stream/key-versions.js';
import { Latest } from '../../core/stream/latest.js';
import type { Position } from '../../protocol/position.js';
import { Place } from './recency.js';

/** One topic: its position and its kept data. */
export class MemoryStream {
  private offset = 0;
  private history: History | undefined;
  private rules: HistoryRules | undefined;
  private latest: Latest | undefined;
  /** Version of the publications without a key. */
  private newestVersion: number | undefined;
  private keyVersions: KeyVersions | undefined;

  /** Its place among all streams. */
  readonly used = new Place<MemoryStream>(this);
  /** Its place among those that keep data. */
  readonly keeping = new Place<MemoryStream>(this);

  constructor(
    readonly topic: string,
    private readonly epoch: string,
  ) {}

  get top(): Position {
    return { epoch: this.epoch, offset: this.offset };
  }

  /** Bytes of JSON text and versioned keys kept. */
  get byteLength(): number {
    const { history, latest, keyVersions } = this;
    return (history?.byteLength ?? 0) + (latest?.byteLength ?? 0) + (keyVersions?.byteLength ?? 0);
  }

  /** The latest values not older than `maxAgeMs`, and their ages if that is given. */
  latestReading(nowMs: number, maxAgeMs: number | undefined): Omit<LatestReading, 'top'> {
    return (this.latest ?? new Latest()).reading(nowMs, maxAgeMs);
  }

  /**
   * Whether the version is not newer than that of its key, or of the publications without a key.
   */
  isStale({ key, version }: BrokerPublishOptions): boolean {
    if (version === undefined) return false;
    if (key !== undefined) return this.keyVersions?.isStale(key, version) === true;
    return this.newestVersion !== undefined && version <= this.newestVersion;
  }

  /** Adds the next publication, kept as the options say. */
  add(
    data: string,
    { key, history, latest, version, remove }: BrokerPublishOptions,
    nowMs: number,
  ): Publication {
    this.offset += 1;
    if (version !== undefined) {
      if (key === undefined) this.newestVersion = version;
      else (this.keyVersions ??= new KeyVersions()).set(key, version);
    }
    const publication: { -readonly [Field in keyof Publication]: Publication[Field] } = {
      offset: this.offset,
      data,
    };
    if (key !== undefined) publication.key = key;
    if (remove === true) publication.removed = true;
    if (history !== undefined && history.size > 0) {
      this.rules = history;
      this.history ??= new History();
      this.history.add(publication, history, nowMs);
    }
    if (latest !== undefined) (this.latest ??= new Latest()).add(publication, latest, nowMs);
    return publication;
  }

  /** Everything after `since`, or `undefined` if any of it is missing. */
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

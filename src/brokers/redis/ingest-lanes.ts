import { LiveError } from '../../protocol/live.error.js';
import type { InboundPublication } from './ingest-entry.js';
import type { IngestPublish } from './redis-ingestion.options.js';

/** Maximum attempts after errors that may or may not be transient. */
const maxAttempts = 5;
/** Pauses between attempts, in milliseconds. */
const pauses = { firstMs: 50, maxMs: 1_000 } as const;
/** Milliseconds of pauses after which a refused entry is given up or becomes a dead letter. */
const patienceMs = 10_000;
/**
 * If an entry is refused this often, with others published in between, the entry itself is the
 * cause.
 */
const maxRefusals = 5;
/** Topics remembered after such a dead letter. Their next entries become dead letters sooner. */
const maxRefusedTopics = 1_000;

/** The result of an entry: accepted by the broker, or rejected for good with a reason. */
export type Outcome = 'published' | 'duplicate' | 'stale' | { readonly reason: string };

export interface LanePorts<T> {
  readonly publish: IngestPublish;
  /** Rejects if another reader has taken over. */
  keep(): Promise<void>;
  /** Resolves early if the ingestion is closed. */
  pause(ms: number): Promise<void>;
  isStopping(): boolean;
  /** Called for each failed attempt that will be repeated. */
  retrying(error: unknown): void;
  settled(entry: T, outcome: Outcome, attempts: number): void;
}

/** Entries and bytes in progress at which reading pauses. */
export interface LaneLimits {
  readonly entries: number;
  readonly bytes: number;
}

interface Job<T> {
  readonly entry: T;
  readonly publication: InboundPublication;
}

/**
 * Publishes the entries of one topic in order, and topics concurrently. A refused entry blocks only
 * its own topic, until it is clear that others are published and it is not.
 */
export class IngestLanes<T> {
  private readonly lanes = new Map<string, Job<T>[]>();
  private readonly refusedTopics = new Set<string>();
  private readonly waiters = new Set<() => void>();
  private entries = 0;
  private bytes = 0;
  private publishedTotal = 0;
  private stopped = false;
  private failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly ports: LanePorts<T>,
    private readonly limits: LaneLimits,
  ) {}

  add(entry: T, publication: InboundPublication): void {
    this.entries += 1;
    this.bytes += sizeOf(publication);
    const lane = this.lanes.get(publication.topic);
    if (lane !== undefined) {
      lane.push({ entry, publication });
      return;
    }
    const opened = [{ entry, publication }];
    this.lanes.set(publication.topic, opened);
    void this.run(publication.topic, opened);
  }

  /** Resolves once there is room for more entries; rejects if an entry was given up. */
  async room(): Promise<void> {
    const { entries, bytes } = this.limits;
    await this.until(() => this.entries < entries && this.bytes < bytes);
    if (this.failure !== undefined) throw this.failure.error;
  }

  /**
   * Starts no further attempt and resolves once none is in flight. Unfinished entries stay in the
   * stream.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.until(() => this.lanes.size === 0);
  }

  /** Publishes no further entry; `room` rejects. */
  fail(error: unknown): void {
    this.failure ??= { error };
    this.changed();
  }

  private async until(fulfilled: () => boolean): Promise<void> {
    while (!fulfilled() && (this.stopped || this.failure === undefined))
      await new Promise<void>((resolve) => this.waiters.add(resolve));
  }

  private changed(): void {
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }

  private get halted(): boolean {
    return this.stopped || this.failure !== undefined || this.ports.isStopping();
  }

  private async run(topic: string, lane: Job<T>[]): Promise<void> {
    try {
      for (let job = lane[0]; job !== undefined && !this.halted; job = lane[0]) {
        await this.publish(job);
        lane.shift();
        this.entries -= 1;
        this.bytes -= sizeOf(job.publication);
        this.changed();
      }
    } catch (error) {
      this.fail(error);
    }
    this.lanes.delete(topic);
    this.changed();
  }

  /** Retries until the result is known. The idempotency key makes a repeated attempt harmless. */
  private async publish({ entry, publication: { topic, data, options } }: Job<T>): Promise<void> {
    const { ports } = this;
    let pausedMs = 0;
    let refusals = 0;
    for (let attempt = 1; ; attempt++) {
      await ports.keep();
      const before = this.publishedTotal;
      try {
        const { suppressed = 'published' } = await ports.publish(topic, data, options);
        if (suppressed === 'published') this.publishedTotal += 1;
        this.refusedTopics.delete(topic);
        return ports.settled(entry, suppressed, attempt);
      } catch (error) {
        const reason = finalReason(error, attempt);
        if (reason !== undefined) return ports.settled(entry, { reason }, attempt);
        if (this.halted || (refusals === 0 && pausedMs >= patienceMs)) throw error;
        ports.retrying(error);
      }
      const pauseMs = Math.min(pauses.maxMs, pauses.firstMs * 2 ** (attempt - 1));
      await ports.pause(pauseMs);
      pausedMs += pauseMs;
      if (this.publishedTotal > before) refusals += 1;
      const isKnown = this.refusedTopics.has(topic);
      if (refusals >= (isKnown ? 1 : maxRefusals) && (isKnown || pausedMs >= patienceMs)) {
        this.remember(topic);
        const reason = `refused ${String(attempt)} times while other entries were published`;
        return ports.settled(entry, { reason }, attempt);
      }
    }
  }

  private remember(topic: string): void {
    this.refusedTopics.add(topic);
    for (const oldest of this.refusedTopics) {
      if (this.refusedTopics.size <= maxRefusedTopics) return;
      this.refusedTopics.delete(oldest);
    }
  }
}

const sizeOf = ({ data }: InboundPublication): number => data?.text.length ?? 0;

/** Returns why no further attempt can help; `undefined` if one may. */
function finalReason(error: unknown, attempt: number): string | undefined {
  if (error instanceof LiveError)
    return error.code === 'unavailable' ? undefined : `${error.code}: ${error.message}`;
  // The error's own text may contain anything, so it only goes to `onError`.
  return attempt < maxAttempts ? undefined : 'publishing failed';
}

import { createHash, randomUUID } from 'node:crypto';
import type {
  Broker,
  BrokerSink,
  LatestReading,
  Published,
  BrokerPublishOptions,
  RecoveryLimits,
  StreamReading,
} from '../../core/ports/broker.js';
import type { Cancel, Clock } from '../../core/ports/clock.js';
import type { Position } from '../../protocol/position.js';
import { SystemClock } from '../../clock/system-clock.js';
import { type MemoryBrokerOptions, resolveMemoryOptions } from './memory-broker.options.js';
import { MemoryStream } from './memory-stream.js';
import { Receipts } from './receipts.js';

/**
 * Keeps all streams in this process and delivers a publication before `publish` returns. Only
 * publications store anything, so clients may read any number of topics.
 */
export class MemoryBroker implements Broker {
  readonly available = true;
  readonly lossless = true;
  readonly solitary = true;
  // Ordered by the time of the last publication.
  private readonly streams = new Map<string, MemoryStream>();
  /** Streams that keep data, in the same order. */
  private readonly keeping = new Map<string, MemoryStream>();
  /** Subscribed topics, and the epoch of each until its first publication. */
  private readonly subscribed = new Map<string, string>();
  private readonly receipts: Receipts;
  private readonly maxStreams: number;
  private readonly maxBytes: number;
  private readonly sweepMs: number;
  private keptBytes = 0;
  /**
   * Prefix of the epochs of topics without a stream. It changes whenever a topic is forgotten,
   * because the topic must not return under its old epoch.
   */
  private epoch: string = randomUUID();
  private sink: BrokerSink | undefined;
  private cancelSweep: Cancel | undefined;
  private closed = false;

  /**
   * @param clock - only a test has another one than the default
   * @throws Error for an option that is no whole number from 1
   */
  constructor(
    options: MemoryBrokerOptions = {},
    private readonly clock: Clock = new SystemClock(),
  ) {
    const { maxStreams, maxBytes, maxIdempotencyKeys, sweepMs } = resolveMemoryOptions(options);
    this.receipts = new Receipts(maxIdempotencyKeys);
    this.maxStreams = maxStreams;
    this.maxBytes = maxBytes;
    this.sweepMs = sweepMs;
  }

  start(sink: BrokerSink): void {
    this.sink = sink;
    this.planSweep();
  }

  async publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    const stream = this.touch(topic);
    const suppressed = this.suppressed(topic, stream, options);
    if (suppressed !== undefined) return suppressed;
    const publication = this.change(topic, stream, () => stream.add(data, options, this.clock.now()));
    if (this.keptBytes > this.maxBytes) this.makeRoomForBytes(topic);
    const { epoch, offset } = stream.top;
    const { idempotencyKey } = options;
    if (idempotencyKey !== undefined)
      this.receipts.add(topic, idempotencyKey, { epoch, offset }, this.clock.now());
    if (this.subscribed.has(topic)) this.sink?.publication(topic, epoch, publication);
    return { epoch, offset };
  }

  async subscribe(topic: string): Promise<void> {
    this.checkOpen();
    this.subscribed.set(topic, this.untouchedEpoch(topic));
  }

  async unsubscribe(topic: string): Promise<void> {
    this.subscribed.delete(topic);
  }

  async read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    const top = this.top(topic);
    const stream = this.streams.get(topic);
    if (stream === undefined) return { top, missed: since && isAt(since, top) ? [] : undefined };
    const missed = since && this.expiring(stream, () => stream.missed(since, limits, this.clock.now()));
    return { top, missed };
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    return new Map(topics.map((topic) => [topic, this.top(topic)]));
  }

  async latest(topic: string, maxKeyAgeMs = Infinity): Promise<LatestReading> {
    const publications = this.streams.get(topic)?.latestSince(this.clock.now() - maxKeyAgeMs) ?? [];
    return { top: this.top(topic), publications };
  }

  async signal(text: string): Promise<void> {
    this.checkOpen();
    this.sink?.signal(text);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelSweep?.();
    this.streams.clear();
    this.keeping.clear();
    this.subscribed.clear();
    this.receipts.clear();
  }

  /** The answer if the publication is a duplicate or stale, and so stores nothing. */
  private suppressed(
    topic: string,
    stream: MemoryStream,
    options: BrokerPublishOptions,
  ): Published | undefined {
    const { idempotencyKey } = options;
    const first =
      idempotencyKey === undefined ? undefined : this.receipts.find(topic, idempotencyKey, this.clock.now());
    if (first !== undefined) return { ...first, suppressed: 'duplicate' };
    return stream.isStale(options) ? { ...stream.top, suppressed: 'stale' } : undefined;
  }

  private top(topic: string): Position {
    this.checkOpen();
    return this.streams.get(topic)?.top ?? { epoch: this.untouchedEpoch(topic), offset: 0 };
  }

  private untouchedEpoch(topic: string): string {
    // Each topic has its own epoch, so a position of another topic is never valid.
    return this.subscribed.get(topic) ?? `${this.epoch}.${hashOf(topic)}`;
  }

  /**
   * Returns the topic's stream, creating it if needed, and makes it the most recently published
   * one.
   */
  private touch(topic: string): MemoryStream {
    this.checkOpen();
    const stream = this.streams.get(topic) ?? new MemoryStream(this.untouchedEpoch(topic));
    if (!this.streams.delete(topic) && this.streams.size >= this.maxStreams) this.forgetOldest();
    this.streams.set(topic, stream);
    return stream;
  }

  /** Runs work that may drop data of a stream, and updates the byte count. */
  private expiring<T>(stream: MemoryStream, run: () => T): T {
    const before = stream.byteLength;
    const result = run();
    this.keptBytes += stream.byteLength - before;
    return result;
  }

  /** Runs work that may change how much a stream keeps, and updates the byte count. */
  private change<T>(topic: string, stream: MemoryStream, run: () => T): T {
    const result = this.expiring(stream, run);
    this.keeping.delete(topic);
    if (stream.byteLength > 0) this.keeping.set(topic, stream);
    return result;
  }

  private makeRoomForBytes(current: string): void {
    for (const [topic, stream] of Array.from(this.keeping)) {
      if (this.keptBytes <= this.maxBytes) return;
      if (topic === current) continue;
      if (this.subscribed.has(topic)) this.change(topic, stream, () => stream.dropHistory());
      else this.forget(topic, stream);
    }
  }

  private forgetOldest(): void {
    for (const [topic, stream] of this.streams) {
      if (this.subscribed.has(topic)) continue;
      this.forget(topic, stream);
      return;
    }
  }

  private forget(topic: string, stream: MemoryStream): void {
    this.streams.delete(topic);
    this.keeping.delete(topic);
    this.keptBytes -= stream.byteLength;
    this.epoch = randomUUID();
  }

  private planSweep(): void {
    this.cancelSweep = this.clock.after(this.sweepMs, () => {
      const now = this.clock.now();
      for (const [topic, stream] of Array.from(this.keeping))
        this.change(topic, stream, () => stream.expire(now));
      this.receipts.expire(now);
      this.planSweep();
    });
  }

  private checkOpen(): void {
    if (this.closed) throw new Error('The memory broker is closed.');
  }
}

function isAt(one: Position, other: Position): boolean {
  return one.epoch === other.epoch && one.offset === other.offset;
}

function hashOf(topic: string): string {
  return createHash('sha256').update(topic).digest('base64url').slice(0, 12);
}

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
import { Recency } from './recency.js';

/**
 * Streams that one publication looks at for something to drop, so that many that cannot be dropped
 * delay nobody. They go to the end, and the next publication looks at others.
 */
const maxLooks = 64;

/**
 * Keeps all streams in this process and delivers a publication before `publish` returns. Only
 * publications store anything, so clients may read any number of topics.
 */
export class MemoryBroker implements Broker {
  readonly available = true;
  readonly lossless = true;
  readonly solitary = true;
  private readonly streams = new Map<string, MemoryStream>();
  /** All streams, by their last publication. */
  private readonly used = new Recency<MemoryStream>();
  /** Streams that keep data, by their last publication. */
  private readonly keeping = new Recency<MemoryStream>();
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

  publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    // Not `async`: what V8 keeps for that takes more memory than a short publication.
    try {
      return Promise.resolve(this.store(topic, data, options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  private store(topic: string, data: string, options: BrokerPublishOptions): Published {
    const stream = this.touch(topic);
    const suppressed = this.suppressed(topic, stream, options);
    if (suppressed !== undefined) return suppressed;
    const before = stream.byteLength;
    const keeps = options.history !== undefined || options.latest !== undefined;
    const publication = stream.add(data, options, keeps ? this.clock.now() : 0);
    this.keeping.use(stream.keeping);
    this.recount(stream, before);
    if (this.keptBytes > this.maxBytes) this.makeRoomForBytes(topic);
    const { top } = stream;
    const { idempotencyKey } = options;
    if (idempotencyKey !== undefined) this.receipts.add(topic, idempotencyKey, { ...top }, this.clock.now());
    if (this.subscribed.has(topic)) this.sink?.publication(topic, top.epoch, publication);
    return top;
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
    const before = stream.byteLength;
    const missed = since && stream.missed(since, limits, this.clock.now());
    this.recount(stream, before);
    return { top, missed };
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    return new Map(topics.map((topic) => [topic, this.top(topic)]));
  }

  async latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    const reading = this.streams.get(topic)?.latestReading(this.clock.now(), maxKeyAgeMs);
    return { top: this.top(topic), publications: [], ...reading };
  }

  async signal(text: string): Promise<void> {
    this.checkOpen();
    this.sink?.signal(text);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelSweep?.();
    this.streams.clear();
    this.used.clear();
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
    const stream = this.streams.get(topic) ?? this.create(topic);
    this.used.use(stream.used);
    return stream;
  }

  private create(topic: string): MemoryStream {
    const stream = new MemoryStream(topic, this.untouchedEpoch(topic));
    if (this.streams.size >= this.maxStreams) this.forgetOldest();
    this.streams.set(topic, stream);
    return stream;
  }

  /** Counts what a stream keeps now, and kept before. */
  private recount(stream: MemoryStream, before: number): void {
    this.keptBytes += stream.byteLength - before;
    if (stream.byteLength === 0) this.keeping.remove(stream.keeping);
  }

  private makeRoomForBytes(current: string): void {
    let looks = 0;
    for (const stream of this.keeping) {
      if (this.keptBytes <= this.maxBytes || looks++ >= maxLooks) return;
      if (stream.topic === current) continue;
      if (this.subscribed.has(stream.topic)) {
        const before = stream.byteLength;
        stream.dropHistory();
        this.recount(stream, before);
        if (stream.byteLength > 0) this.keeping.use(stream.keeping);
      } else this.forget(stream);
    }
  }

  private forgetOldest(): void {
    let looks = 0;
    for (const stream of this.used) {
      if (!this.subscribed.has(stream.topic)) {
        this.forget(stream);
        return;
      }
      if (looks++ >= maxLooks) return;
      this.used.use(stream.used);
    }
  }

  private forget(stream: MemoryStream): void {
    this.streams.delete(stream.topic);
    this.used.remove(stream.used);
    this.keeping.remove(stream.keeping);
    this.keptBytes -= stream.byteLength;
    this.epoch = randomUUID();
  }

  private planSweep(): void {
    this.cancelSweep = this.clock.after(this.sweepMs, () => {
      const now = this.clock.now();
      for (const stream of this.keeping) this.expire(stream, now);
      this.receipts.expire(now);
      this.planSweep();
    });
  }

  private expire(stream: MemoryStream, nowMs: number): void {
    const before = stream.byteLength;
    stream.expire(nowMs);
    this.recount(stream, before);
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

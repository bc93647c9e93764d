import { Buffer } from 'node:buffer';
import type {
  Broker,
  BrokerSink,
  LatestReading,
  Published,
  BrokerPublishOptions,
  RecoveryLimits,
  StreamReading,
} from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import { PublishRefusal, tooLarge } from '../../core/ports/publish-refusal.js';
import type { Position } from '../../protocol/position.js';
import { SystemClock } from '../../clock/system-clock.js';
import { RefusalReport } from '../refusal-report.js';
import { Seen } from '../seen.js';
import { signalText } from '../signal-text.js';
import { published, publishArguments, publishKeys } from './publish-call.js';
import { latestReading, latestScript, readArguments, readScript, streamReading } from './read-scripts.js';
import {
  type RedisBrokerOptions,
  resolveRedisOptions,
  type ResolvedRedisOptions,
} from './redis-broker.options.js';
import { RedisCalls } from './redis-calls.js';
import { RedisConnection } from './redis-connection.js';
import { RedisKeys } from './redis-keys.js';
import { publishFailure } from './redis-refusal.js';

/**
 * Topics per tops script, and concurrent scripts: few enough for other commands to get their turn.
 */
const tops = { perCall: 100, callsAtOnce: 200 } as const;

/** Topics whose furthest position is remembered, about 100 bytes each. */
const maxSeen = 100_000;

/**
 * Streams in Redis (tested with 7.0), shared by all instances with the same server, database and
 * prefix. One script stores and sends a publication, so the order of delivery is the order of the
 * store.
 *
 * It uses node-redis, which Redis recommends for new projects. Unlike ioredis, it can bound its
 * queue and reports when the slot of a sharded channel moves. Reconnecting is handled here, because
 * the gap between two connections must be reported.
 */
export class RedisBroker implements Broker {
  private readonly options: ResolvedRedisOptions;
  private readonly keys: RedisKeys;
  private readonly connection: RedisConnection;
  /** Largest publication that is sent: the option, or less once Redis refused a smaller one. */
  private maxBytes: number;
  private readonly calls: RedisCalls;
  private readonly refusals: RefusalReport;
  private readonly seen = new Seen(maxSeen);

  /**
   * Connects when its application starts.
   *
   * @param clock - time and random numbers, for tests
   * @throws Error that names the option, and never shows a URL
   */
  constructor(options: RedisBrokerOptions = {}, clock: Clock = new SystemClock()) {
    this.options = resolveRedisOptions(options);
    this.maxBytes = this.options.maxPublicationBytes;
    this.keys = new RedisKeys(this.options.prefix, this.options.database);
    this.refusals = new RefusalReport(clock, this.options.onError);
    this.connection = new RedisConnection(this.options, this.keys, clock);
    this.calls = new RedisCalls(this.connection, this.keys, this.seen);
  }

  get available(): boolean {
    return this.connection.available;
  }

  /**
   * Messages and stored values dropped since the start: from another version, forged, or too large.
   */
  get junkTotal(): number {
    return this.connection.inbound.junkTotal;
  }

  /** Number of lost connections since the start. */
  get lossesTotal(): number {
    return this.connection.lossesTotal;
  }

  /** Topics subscribed in Redis now, including lingering ones. */
  get subscribedTopics(): number {
    return this.connection.subscriptions.size;
  }

  start(sink: BrokerSink): void {
    this.connection.start({
      publication: (topic, epoch, publication) => {
        if (this.seen.arrive(topic, epoch, publication.offset)) sink.publication(topic, epoch, publication);
        else this.backward(topic, epoch, sink);
      },
      suspect: (topic) => sink.suspect(topic),
      availability: (available) => sink.availability(available),
      signal: (text) => sink.signal(text),
    });
  }

  async publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    const bytes = Buffer.byteLength(data);
    const maxBytes = Math.min(this.maxBytes, this.connection.maxArgumentBytes);
    if (bytes > maxBytes) throw tooLarge(maxBytes, bytes);
    const { idempotencyKey } = options;
    const result = idempotencyKey === undefined ? undefined : this.keys.idempotency(topic, idempotencyKey);
    const keys = publishKeys(this.keys.of(topic), options, result);
    const channel = this.keys.channel(topic);
    let answer: unknown;
    try {
      answer = await this.calls.publish(topic, bytes, keys, (command, seen) =>
        publishArguments(data, options, { channel, command, seen }),
      );
    } catch (error) {
      const failure = publishFailure(error);
      // Redis closes the connection on such a publication, so none of this size is sent again.
      if (failure instanceof PublishRefusal && failure.kind === 'too-large') this.maxBytes = bytes - 1;
      if (failure instanceof PublishRefusal) this.refusals.refused(error);
      throw failure;
    }
    const place = published(answer);
    if (place.suppressed === undefined) this.refusals.accepted();
    // A duplicate reports the first publication's position, whose epoch may be over.
    if (place.suppressed !== 'duplicate') this.seen.add(topic, place.epoch, place.offset);
    return place;
  }

  async subscribe(topic: string): Promise<void> {
    // Synchronous if possible, so that calls in one tick keep their order.
    if (!this.connection.accepting) await this.connection.ready();
    await this.connection.subscriptions.add(topic, this.keys.channel(topic));
  }

  async unsubscribe(topic: string): Promise<void> {
    if (!this.connection.accepting) await this.connection.ready().catch(() => {});
    this.connection.subscriptions.remove(this.keys.channel(topic));
  }

  async read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    const { meta, history } = this.keys.of(topic);
    const keys = since === undefined ? [meta] : [meta, history];
    const args = readArguments(since, limits);
    return streamReading(await this.calls.readOf(topic, readScript, keys, args), since, this.junk);
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    const { clustered } = await this.connection.ready();
    // In a cluster, topics lie in different slots.
    const size = clustered ? 1 : tops.perCall;
    const found = new Map<string, Position>();
    let next = 0;
    const readNextBatches = async (): Promise<void> => {
      for (let at = next; at < topics.length; at = next) {
        next += size;
        await this.calls.topsOf(topics.slice(at, at + size), found);
      }
    };
    await Promise.all(Array.from({ length: tops.callsAtOnce }, readNextBatches));
    return found;
  }

  async latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    const { meta, latest } = this.keys.of(topic);
    const answer = await this.calls.readOf(topic, latestScript, [meta, latest]);
    return latestReading(answer, maxKeyAgeMs);
  }

  async signal(text: string): Promise<void> {
    const message = signalText(text);
    await this.connection.call(Buffer.byteLength(message), (engine) =>
      engine.publish(this.keys.signals, message),
    );
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  /**
   * The topic's keys were deleted and it restarted in the same epoch: end it and notify its
   * readers.
   */
  private backward(topic: string, epoch: string, sink: BrokerSink): void {
    const gone = { life: 0, topics: [{ meta: this.keys.of(topic).meta, epoch }] };
    const done = (): void => sink.suspect(topic);
    this.connection.call(0, (engine) => engine.renew(gone)).then(done, done);
  }

  private readonly junk = (count: number): void => {
    this.connection.inbound.junkTotal += count;
  };
}

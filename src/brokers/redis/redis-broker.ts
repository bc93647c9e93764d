import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type {
  Broker,
  BrokerSink,
  LatestReading,
  Published,
  PublishOptions,
  RecoveryLimits,
  StreamReading,
} from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import { PublishRefusal, tooLarge } from '../../core/ports/publish-refusal.js';
import type { Position } from '../../protocol/position.js';
import { BrokerClock } from '../broker-clock.js';
import { type PublishPlace, published, publishArguments, publishScript } from './publish-script.js';
import {
  latestReading,
  latestScript,
  readArguments,
  readScript,
  streamReading,
  topsReading,
  topsScript,
} from './read-scripts.js';
import {
  type RedisBrokerOptions,
  resolveRedisOptions,
  type ResolvedRedisOptions,
} from './redis-broker.options.js';
import { RedisConnection } from './redis-connection.js';
import { signalHead } from './redis-inbound.js';
import { RedisKeys } from './redis-keys.js';
import { publishFailure } from './redis-refusal.js';
import { type RedisScript, withoutJunk } from './redis-script.js';

/** Topics whose ends are asked for in one script, and scripts of these under way at a time: few enough that others get their turn. */
const tops = { perCall: 100, callsAtOnce: 200 } as const;

/**
 * Streams in Redis (7.0 is tested), shared by all instances that name the same server, database and
 * prefix. A publication is one script: stored and sent in one step, so that what is delivered has the order of what is
 * stored.
 *
 * It connects by node-redis, which Redis recommends for new projects (ioredis says so itself): both speak RESP3 and know
 * sharded channels, but node-redis' queue can be bounded, and it says when the slot of a sharded channel has moved.
 * Connecting again is done here and not there: what was missed between two connections must be told.
 *
 * @publicApi
 */
export class RedisBroker implements Broker {
  private readonly options: ResolvedRedisOptions;
  private readonly keys: RedisKeys;
  private readonly connection: RedisConnection;
  /** Largest publication that is sent: the option, or less where Redis has refused less. */
  private maxBytes: number;

  /**
   * Connects when its application starts.
   *
   * @param clock time and chance, for tests
   * @throws Error that names the option, and never shows an address
   */
  constructor(options: RedisBrokerOptions = {}, clock: Clock = new BrokerClock()) {
    this.options = resolveRedisOptions(options);
    this.maxBytes = this.options.maxPublicationBytes;
    this.keys = new RedisKeys(this.options.prefix, this.options.database);
    this.connection = new RedisConnection(this.options, this.keys, clock);
  }

  get available(): boolean {
    return this.connection.available;
  }

  /** Messages that came in, and what stood in our keys, that was dropped since the start: another version, forged, too large. */
  get junkTotal(): number {
    return this.connection.inbound.junkTotal;
  }

  /** Times that the connection was lost, since the start. */
  get lossesTotal(): number {
    return this.connection.lossesTotal;
  }

  /** Topics that are subscribed in Redis now; some may linger. */
  get subscribedTopics(): number {
    return this.connection.subscriptions.size;
  }

  start(sink: BrokerSink): void {
    this.connection.start(sink);
  }

  async publish(topic: string, data: string, options: PublishOptions): Promise<Published> {
    const bytes = Buffer.byteLength(data);
    const { metadataTtlMs } = this.options;
    if (bytes > this.maxBytes) throw tooLarge(this.maxBytes, bytes);
    const { idempotencyKey } = options;
    const keys = this.keysOf(topic);
    if (idempotencyKey !== undefined) keys.push(this.keys.idempotency(topic, idempotencyKey));
    const place = { candidate: randomUUID(), metadataTtlMs, channel: this.keys.channel(topic) };
    const answer = await this.run(bytes, publishScript, keys, (life, command) =>
      publishArguments(data, options, { ...place, life, command }),
    ).catch((error: unknown) => {
      const failure = publishFailure(error);
      // Redis closes the connection on it, so no second one is sent.
      if (failure instanceof PublishRefusal && failure.kind === 'too-large') this.maxBytes = bytes - 1;
      throw failure;
    });
    return published(answer);
  }

  async subscribe(topic: string): Promise<void> {
    // At once where it can be: what is asked for in one turn must keep its order.
    if (!this.available) await this.connection.engine();
    await this.connection.subscriptions.add(topic, this.keys.channel(topic));
  }

  async unsubscribe(topic: string): Promise<void> {
    if (!this.available) await this.connection.engine().catch(() => {});
    this.connection.subscriptions.remove(this.keys.channel(topic));
  }

  async read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    const answer = await this.ask(readScript, [topic], readArguments(since, limits));
    return streamReading(answer, since, this.junk);
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    const { clustered } = await this.connection.engine();
    // The topics of a cluster lie in different slots.
    const size = clustered ? 1 : tops.perCall;
    const groups: (readonly string[])[] = [];
    for (let at = 0; at < topics.length; at += size) groups.push(topics.slice(at, at + size));
    const answers: unknown[] = [];
    let next = 0;
    const askOn = async (): Promise<void> => {
      for (let i = next++; i < groups.length; i = next++)
        answers[i] = await this.ask(topsScript, groups[i] ?? []);
    };
    await Promise.all(Array.from({ length: tops.callsAtOnce }, askOn));
    return topsReading(topics, answers);
  }

  async latest(topic: string): Promise<LatestReading> {
    return latestReading(await this.ask(latestScript, [topic]));
  }

  async signal(text: string): Promise<void> {
    const message = signalHead + text;
    await this.connection.call(Buffer.byteLength(message), (engine) =>
      engine.publish(this.keys.signals, message),
    );
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  /** Runs one of the scripts that only read. */
  private ask(
    script: RedisScript,
    topics: readonly string[],
    args: readonly string[] = [],
  ): Promise<unknown> {
    const keys = topics.flatMap((topic) => this.keysOf(topic));
    const [candidate, ttl] = [randomUUID(), String(this.options.metadataTtlMs)];
    return this.run(0, script, keys, (life) => [candidate, life, ttl, ...args]);
  }

  private async run(
    bytes: number,
    script: RedisScript,
    keys: readonly string[],
    args: (life: string, command: PublishPlace['command']) => readonly string[],
  ): Promise<unknown> {
    const raw = await this.connection.call(bytes, (engine) =>
      engine.run(script, keys, (life) => args(life, engine.publishCommand)),
    );
    const [answer, junk] = withoutJunk(raw);
    this.junk(junk);
    return answer;
  }

  private readonly junk = (count: number): void => {
    this.connection.inbound.junkTotal += count;
  };

  private keysOf(topic: string): string[] {
    const { meta, history, latest, order } = this.keys.of(topic);
    return [meta, history, latest, order];
  }
}

import { randomUUID } from 'node:crypto';
import { type BrokerSink, silentSink } from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import { Deadlines } from '../deadlines.js';
import { Link } from '../link.js';
import { type SubscriptionEngine, Subscriptions } from '../subscriptions.js';
import type { ResolvedRedisOptions } from './redis-broker.options.js';
import { RedisEngine } from './redis-engine.js';
import type { EngineMemory } from './redis-engine.options.js';
import { RedisInbound } from './redis-inbound.js';
import type { RedisKeys } from './redis-keys.js';

/** Maximum lingering subscriptions. */
const maxLingering = 10_000;

/**
 * The connection to Redis: calls with deadlines, subscriptions that survive a reconnect, and a
 * report of each loss.
 */
export class RedisConnection {
  readonly subscriptions: Subscriptions;
  readonly inbound: RedisInbound;
  /** Number of lost connections since the start. */
  lossesTotal = 0;
  private readonly link: Link<RedisEngine>;
  private readonly calls: Deadlines;
  private readonly probeChannel: string;
  private readonly memory: EngineMemory = { life: 0, nodes: [] };
  private sink: BrokerSink = silentSink;
  private state: 'new' | 'started' | 'closed' = 'new';

  constructor(
    private readonly options: ResolvedRedisOptions,
    private readonly keys: RedisKeys,
    clock: Clock,
  ) {
    const { callTimeoutMs, maxWaitingCalls, maxWaitingBytes, lingerMs, onError } = options;
    this.probeChannel = keys.probe(randomUUID());
    const engine = 'Redis';
    this.calls = new Deadlines(clock, {
      engine,
      timeoutMs: callTimeoutMs,
      maxCalls: maxWaitingCalls,
      maxBytes: maxWaitingBytes,
    });
    this.subscriptions = new Subscriptions(clock, {
      lingerMs,
      maxLingering,
      failed: (error) => onError('unsubscribing in Redis', error),
    });
    this.inbound = new RedisInbound(this.subscriptions, keys.signals, options.maxPublicationBytes);
    this.link = new Link(
      clock,
      { ...options, engine },
      {
        make: (lost) => this.make(lost),
        prepare: (engine) => this.prepare(engine),
        opened: () => this.opened(),
        lost: (error, worked) => this.lost(error, worked),
      },
    );
  }

  get available(): boolean {
    return this.link.engine !== undefined;
  }

  start(sink: BrokerSink): void {
    if (this.state !== 'new')
      throw new Error('This RedisBroker has been started already: each application needs its own.');
    this.state = 'started';
    this.sink = this.inbound.sink = sink;
    this.link.open();
  }

  /**
   * Returns the engine; at the start, after the first attempt. Rejects while Redis is unavailable.
   */
  async engine(): Promise<RedisEngine> {
    if (this.state === 'started' && this.link.engine === undefined) await this.link.attempted;
    if (this.state === 'closed') throw closed();
    if (this.link.engine === undefined) throw new Error('Redis is away.');
    return this.link.engine;
  }

  /** Runs a call on the engine with a deadline. Calls made in one tick keep their order. */
  async call<T>(bytes: number, work: (engine: RedisEngine) => Promise<T>): Promise<T> {
    const engine = this.state === 'started' && this.link.engine ? this.link.engine : await this.engine();
    try {
      return await this.calls.run(bytes, () => work(engine));
    } catch (error) {
      // The server has become a replica; a new connection finds the current master.
      if (error instanceof Error && error.message.startsWith('READONLY')) this.link.lose(engine, error);
      throw error;
    }
  }

  /** Waits for the calls in flight, at most for the duration of one call. */
  async close(): Promise<void> {
    this.state = 'closed';
    if (this.available) await this.calls.settled();
    this.link.close();
    this.subscriptions.detach(closed());
  }

  /**
   * Reports the store's life. After a change, readers must compare their positions with what is
   * left.
   */
  lived(life: number): void {
    const { memory } = this;
    if (life <= memory.life) return;
    const first = memory.life === 0;
    memory.life = life;
    if (!first && this.available) this.sink.suspect();
  }

  private make(lost: (error: Error) => void): RedisEngine {
    const engine: RedisEngine = new RedisEngine(
      { ...this.options, keys: this.keys, probeChannel: this.probeChannel },
      this.memory,
      {
        message: (channel, bytes) => this.inbound.message(channel, bytes),
        junk: () => {
          this.inbound.junkTotal += 1;
        },
        moved: (channel) => void this.follow(engine, channel),
        lost,
        lived: (life) => this.lived(life),
      },
    );
    return engine;
  }

  private async prepare(engine: RedisEngine): Promise<void> {
    const inTime: SubscriptionEngine = {
      subscribe: (channels) => this.calls.run(0, () => engine.subscribe(channels)),
      unsubscribe: (channels) => this.calls.run(0, () => engine.unsubscribe(channels)),
    };
    await inTime.subscribe([this.keys.signals]);
    await this.subscriptions.attach(inTime);
  }

  private opened(): void {
    if (this.lossesTotal > 0) this.sink.suspect();
    this.sink.availability(true);
  }

  private lost(error: Error, worked: boolean): void {
    this.subscriptions.detach(error);
    if (this.state === 'closed') return;
    if (worked) {
      this.lossesTotal += 1;
      this.sink.availability(false);
    }
    this.options.onError(worked ? 'keeping the connection to Redis' : 'connecting to Redis', error);
  }

  /**
   * A slot of the cluster has moved. Messages are missing until the new subscription is in force.
   */
  private async follow(engine: RedisEngine, channel: string): Promise<void> {
    const topic = this.subscriptions.topicOf(channel);
    try {
      if (channel === this.keys.signals) await engine.subscribe([channel]);
      else await this.subscriptions.renew(channel);
      if (topic !== undefined) this.sink.suspect(topic);
    } catch (error) {
      this.link.lose(engine, error as Error);
    }
  }
}

function closed(): Error {
  return new Error('This RedisBroker is closed.');
}

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/ports/clock.js';
import { EngineConnection } from '../engine-connection.js';
import type { ResolvedRedisOptions } from './redis-broker.options.js';
import { RedisEngine } from './redis-engine.js';
import type { EngineMemory } from './redis-engine.options.js';
import { RedisInbound } from './redis-inbound.js';
import type { RedisKeys } from './redis-keys.js';

/** The connection to Redis, which follows the master and the slots of a cluster. */
export class RedisConnection extends EngineConnection<RedisEngine> {
  readonly inbound: RedisInbound;
  private readonly probeChannel: string;
  private readonly memory: EngineMemory = { life: 0, nodes: [], maxArgumentBytes: Infinity };

  constructor(
    private readonly options: ResolvedRedisOptions,
    private readonly keys: RedisKeys,
    clock: Clock,
  ) {
    super(clock, { engine: 'Redis', broker: 'RedisBroker' }, options);
    this.probeChannel = keys.probe(randomUUID());
    this.inbound = new RedisInbound(this, keys.signals, options.maxPublicationBytes);
  }

  /** Largest argument that the server reads, in bytes. */
  get maxArgumentBytes(): number {
    return this.memory.maxArgumentBytes;
  }

  override call<T>(bytes: number, work: (engine: RedisEngine) => Promise<T>): Promise<T> {
    return super.call(bytes, async (engine) => {
      try {
        return await work(engine);
      } catch (error) {
        // The server has become a replica; a new connection finds the current master.
        if (error instanceof Error && error.message.startsWith('READONLY')) this.link.lose(engine, error);
        throw error;
      }
    });
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
    if (!first) this.suspect();
  }

  protected make(lost: (error: Error) => void): RedisEngine {
    const engine: RedisEngine = new RedisEngine(
      { ...this.options, keys: this.keys, probeChannel: this.probeChannel },
      this.memory,
      {
        message: (channel, bytes) => this.inbound.message(channel, bytes),
        junk: () => {
          this.inbound.junkTotal += 1;
        },
        limited: (bytes) => {
          this.memory.maxArgumentBytes = bytes;
        },
        moved: (channel) => void this.follow(engine, channel),
        lost,
        lived: (life) => this.lived(life),
      },
    );
    return engine;
  }

  protected channels(): readonly string[] {
    return [this.keys.signals];
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

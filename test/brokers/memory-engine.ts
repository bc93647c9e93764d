import { MemoryBroker } from '../../src/brokers/memory/memory-broker.js';
import type {
  Broker,
  BrokerSink,
  LatestReading,
  Publication,
  Published,
  BrokerPublishOptions,
  RecoveryLimits,
  StreamReading,
} from '../../src/core/ports/broker.js';
import type { Position } from '../../src/protocol/position.js';
import { TestClock } from '../../src/testing/test-clock.js';
import type { OpenedBroker } from '../../src/testing/broker-checks/opened-broker.js';

/** A minimal engine: one memory broker, shared by instances that can lose and regain it. */
export class MemoryEngine {
  readonly clock = new TestClock();
  readonly instances = new Set<EngineInstance>();
  store = this.newStore();
  away = false;
  /** For mistakes that all instances make together. */
  readonly removedKeys = new Set<string>();

  open(): OpenedBroker {
    return {
      broker: new EngineInstance(this),
      another: () => new EngineInstance(this),
      pass: (ms) => this.clock.advance(ms),
      loseStreams: () => {
        this.store = this.newStore();
        for (const { sink } of this.instances) sink.suspect();
      },
      restart: (whileStopped) => this.restart(whileStopped),
      junk: (topic) => {
        for (const instance of this.instances) instance.received(topic, '\0 nonsense');
      },
      junkTotal: () => [...this.instances].reduce((sum, { junkTotal }) => sum + junkTotal, 0),
      close: () => this.store.close(),
    };
  }

  private newStore(): MemoryBroker {
    const store = new MemoryBroker({}, this.clock);
    store.start({
      publication: (topic, epoch, publication) => {
        for (const instance of this.instances) instance.carried(topic, epoch, publication);
      },
      suspect() {},
      availability() {},
      signal: (text) => {
        for (const { sink } of this.instances) sink.signal(text);
      },
    });
    return store;
  }

  private async restart(whileStopped: () => Promise<void>): Promise<void> {
    this.away = true;
    for (const { sink } of this.instances) sink.availability(false);
    await whileStopped();
    this.away = false;
    for (const { sink } of this.instances) {
      sink.availability(true);
      sink.suspect();
    }
  }
}

/** One instance on the engine. */
export class EngineInstance implements Broker {
  junkTotal = 0;
  sink!: BrokerSink;
  private readonly topics = new Set<string>();

  constructor(readonly engine: MemoryEngine) {}

  get available(): boolean {
    return !this.engine.away;
  }

  start(sink: BrokerSink): void {
    this.sink = sink;
    this.engine.instances.add(this);
  }

  carried(topic: string, epoch: string, publication: Publication): void {
    if (this.topics.has(topic)) this.sink.publication(topic, epoch, publication);
  }

  /** Receives raw bytes that are no publication. */
  received(topic: string, bytes: string): void {
    if (this.topics.has(topic) && bytes.length > 0) this.junkTotal += 1;
  }

  async publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    const { store } = this.open();
    // The store must have a subscription to deliver. The instances decide which of them gets it.
    await store.subscribe(topic);
    return store.publish(topic, data, options);
  }

  async subscribe(topic: string): Promise<void> {
    this.open();
    this.topics.add(topic);
  }

  async unsubscribe(topic: string): Promise<void> {
    this.topics.delete(topic);
  }

  async read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    return this.open().store.read(topic, since, limits);
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    return this.open().store.tops(topics);
  }

  async latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    return this.open().store.latest(topic, maxKeyAgeMs);
  }

  async signal(text: string): Promise<void> {
    return this.open().store.signal(text);
  }

  async close(): Promise<void> {
    this.engine.instances.delete(this);
    this.topics.clear();
  }

  private open(): MemoryEngine {
    if (this.engine.away) throw new Error('The engine is away');
    if (!this.engine.instances.has(this)) throw new Error('The instance is closed');
    return this.engine;
  }
}

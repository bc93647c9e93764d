import {
  type Broker,
  type BrokerSink,
  type LatestReading,
  MemoryBroker,
  type Position,
  type Published,
  type BrokerPublishOptions,
  type RecoveryLimits,
  silentSink,
  type StreamReading,
} from 'nestjs-live/broker';

/**
 * A shared engine, plus topics that are local to each instance, for what an instance reports about
 * itself. They stay in its memory. A client of another instance starts afresh here, because the
 * stream is a different one.
 */
export class LocalTopics implements Broker {
  private readonly topics: ReadonlySet<string>;
  private readonly local = new MemoryBroker();

  constructor(
    private readonly shared: Broker,
    topics: readonly string[],
  ) {
    this.topics = new Set(topics);
  }

  get available(): boolean {
    return this.shared.available;
  }

  isLocal(topic: string): boolean {
    return this.topics.has(topic);
  }

  start(sink: BrokerSink): void {
    this.local.start({
      ...silentSink,
      publication: (topic, epoch, publication) => sink.publication(topic, epoch, publication),
    });
    this.shared.start(sink);
  }

  publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    return this.of(topic).publish(topic, data, options);
  }

  subscribe(topic: string): Promise<void> {
    return this.of(topic).subscribe(topic);
  }

  unsubscribe(topic: string): Promise<void> {
    return this.of(topic).unsubscribe(topic);
  }

  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    return this.of(topic).read(topic, since, limits);
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    const local = topics.filter((topic) => this.topics.has(topic));
    const shared = topics.filter((topic) => !this.topics.has(topic));
    if (local.length === 0) return this.shared.tops(topics);
    const tops = await this.local.tops(local);
    return shared.length === 0 ? tops : new Map([...tops, ...(await this.shared.tops(shared))]);
  }

  latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    return this.of(topic).latest(topic, maxKeyAgeMs);
  }

  signal(text: string): Promise<void> {
    return this.shared.signal(text);
  }

  async close(): Promise<void> {
    await this.local.close();
    await this.shared.close();
  }

  private of(topic: string): Broker {
    return this.topics.has(topic) ? this.local : this.shared;
  }
}

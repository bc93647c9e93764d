import type { MemoryBroker } from '../../src/brokers/memory/memory-broker.js';
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
import { Lineages } from '../../src/testing/lineages.js';

/** A memory broker that loses deliveries, whole streams, or its connection, as a test wants. */
export class LossyBroker implements Broker {
  available = true;
  /** Whether a delivery gets through. */
  carries: (topic: string, publication: Publication) => boolean = () => true;
  /** The calls so far, for example `read t` or `tops a,b`. */
  readonly calls: string[] = [];
  /** Kinds of calls that fail, such as `read`. */
  readonly failing = new Set<string>();
  /** Promises that calls of a kind wait for before they are answered. */
  readonly slow = new Map<string, Promise<void>>();
  private readonly generations = new Map<string, number>();
  private readonly lineages = new Lineages();
  private epochs = 0;
  private sink: BrokerSink | undefined;

  constructor(private readonly memory: MemoryBroker) {}

  start(sink: BrokerSink): void {
    this.sink = sink;
    this.memory.start({
      ...sink,
      publication: (inner, epoch, publication) => {
        const [topic = ''] = inner.split('~');
        if (this.inner(topic) === inner && this.carries(topic, publication))
          sink.publication(topic, this.lineages.epochOf(topic) ?? epoch, publication);
      },
    });
  }

  publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    return this.call('publish', topic, async () =>
      this.named(topic, await this.memory.publish(this.inner(topic), data, options)),
    );
  }

  subscribe(topic: string): Promise<void> {
    return this.call('subscribe', topic, () => this.memory.subscribe(this.inner(topic)));
  }

  unsubscribe(topic: string): Promise<void> {
    return this.memory.unsubscribe(this.inner(topic));
  }

  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    return this.call('read', topic, async () => {
      const stored = await this.top(topic);
      const isKnown = since !== undefined && this.lineages.has(topic, since, this.named(topic, stored));
      const known = isKnown ? { epoch: stored.epoch, offset: since.offset } : undefined;
      const { top, missed } = await this.memory.read(this.inner(topic), known, limits);
      return { top: this.named(topic, top), missed };
    });
  }

  tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    return this.call('tops', topics.join(), async () => {
      const tops = await this.memory.tops(topics.map((topic) => this.inner(topic)));
      return new Map(
        [...tops].map(([inner, top]) => {
          const [topic = ''] = inner.split('~');
          return [topic, this.named(topic, top)];
        }),
      );
    });
  }

  latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    return this.call('latest', topic, async () => {
      const { top, publications } = await this.memory.latest(this.inner(topic), maxKeyAgeMs);
      return { top: this.named(topic, top), publications };
    });
  }

  signal(text: string): Promise<void> {
    return this.memory.signal(text);
  }

  close(): Promise<void> {
    return this.memory.close();
  }

  /** Delivers a publication regardless of the streams. */
  deliver(topic: string, epoch: string, publication: Publication): void {
    this.sink?.publication(topic, epoch, publication);
  }

  /** Reports that publications of this topic, or of any, may have been missed. */
  suspect(topic?: string): void {
    this.sink?.suspect(topic);
  }

  /** Loses the stream of a topic and starts another. Subscribers stay subscribed. */
  async lose(topic: string): Promise<void> {
    await this.memory.unsubscribe(this.inner(topic));
    this.lineages.begin(topic, this.newEpoch());
    this.generations.set(topic, (this.generations.get(topic) ?? 0) + 1);
    await this.memory.subscribe(this.inner(topic));
  }

  /** Restarts the engine: the topic continues in another epoch, after the offset `end`. */
  async restart(topic: string, end?: number): Promise<void> {
    const { epoch, offset } = await this.top(topic);
    if (this.lineages.epochOf(topic) === undefined) this.lineages.begin(topic, epoch);
    this.lineages.goOn(topic, this.newEpoch(), end ?? offset);
  }

  /** Fails every call and delivers nothing. */
  goAway(): void {
    this.available = false;
    this.sink?.availability(false);
  }

  comeBack(): void {
    this.available = true;
    this.sink?.availability(true);
  }

  private async call<T>(kind: string, about: string, work: () => Promise<T>): Promise<T> {
    this.calls.push(`${kind} ${about}`);
    await this.slow.get(kind);
    if (!this.available || this.failing.has(kind)) throw new Error(`The broker failed to ${kind}`);
    return work();
  }

  private newEpoch(): string {
    this.epochs += 1;
    return `epoch-${String(this.epochs)}`;
  }

  private async top(topic: string): Promise<Position> {
    return (await this.memory.read(this.inner(topic), undefined, { count: 0, bytes: 0 })).top;
  }

  private named<P extends Position>(topic: string, position: P): P {
    return { ...position, epoch: this.lineages.epochOf(topic) ?? position.epoch };
  }

  private inner(topic: string): string {
    const generation = this.generations.get(topic) ?? 0;
    return generation === 0 ? topic : `${topic}~${String(generation)}`;
  }
}

import { MemoryBroker } from '../../brokers/memory/memory-broker.js';
import type {
  Broker,
  BrokerSink,
  LatestReading,
  Publication,
  Published,
  PublishOptions,
  RecoveryLimits,
  StreamReading,
} from '../../core/ports/broker.js';
import type { Position } from '../../protocol/position.js';
import type { Publications } from './publications.js';
import type { Timeline } from './timeline.js';

export type BrokerCall = 'subscribe' | 'read' | 'publish' | 'latest';

/** How long calls are under way, in milliseconds: to the broker and, apart from that, back. */
export interface BrokerPace {
  readonly thereMs: number;
  readonly backMs: number;
  /** How far deliveries lag behind the answers to calls. */
  readonly deliverMs: number;
  /** The call that fails. */
  readonly fails?: BrokerCall | undefined;
}

export const promptBroker: BrokerPace = { thereMs: 0, backMs: 0, deliverMs: 0 };

const noRecovery: RecoveryLimits = { count: 0, bytes: 0 };

interface Deliveries {
  stopped: boolean;
  count: number;
  lastMs: number;
}

/**
 * The memory broker behind a network: slow, failing, losing streams, as the world wants. It gives epochs names that are
 * the same in every run, and writes down what was published.
 */
export class SimBroker implements Broker {
  readonly available = true;
  readonly solitary = true;
  pace = promptBroker;
  /** Calls and deliveries under way. */
  pendingCount = 0;
  private readonly memory: MemoryBroker;
  private readonly epochNames = new Map<string, string>();
  private readonly generations = new Map<string, number>();
  private readonly inForce = new Set<string>();
  /** Calls on their way there by topic, and when the last one takes place: later ones do not overtake it. */
  private readonly calls = new Map<string, { count: number; lastMs: number }>();
  /** Deliveries under way by topic; an unsubscribe takes them back. */
  private readonly deliveries = new Map<string, Deliveries>();
  private sink: BrokerSink | undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly publications: Publications,
  ) {
    this.memory = new MemoryBroker(timeline.clock, { sweepMs: 1_000 });
  }

  start(sink: BrokerSink): void {
    this.sink = sink;
    this.memory.start({
      ...sink,
      publication: (inner, epoch, publication) =>
        this.deliver(inner.slice(0, inner.lastIndexOf('~')), this.nameOf(epoch), publication),
    });
  }

  publish(topic: string, data: string, options: PublishOptions): Promise<Published> {
    return this.call('publish', topic, async () => {
      if (this.publications.top(topic) === undefined) await this.top(topic);
      const place = this.publications.add(topic, data, options.key, this.timeline.nowMs);
      const { epoch, offset } = await this.memory.publish(this.inner(topic), data, options);
      if (this.nameOf(epoch) !== place.epoch || offset !== place.offset)
        throw new Error(`The broker numbered ${topic} ${String(offset)}, not ${String(place.offset)}`);
      return place;
    });
  }

  subscribe(topic: string): Promise<void> {
    return this.call('subscribe', topic, () => {
      this.inForce.add(topic);
      return this.memory.subscribe(this.inner(topic));
    });
  }

  unsubscribe(topic: string): Promise<void> {
    return this.call('unsubscribe', topic, () => {
      this.inForce.delete(topic);
      const deliveries = this.deliveries.get(topic);
      if (deliveries !== undefined) deliveries.stopped = true;
      this.deliveries.delete(topic);
      return this.memory.unsubscribe(this.inner(topic));
    });
  }

  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    return this.call('read', topic, async () => {
      const raw = since && { epoch: this.rawOf(since.epoch), offset: since.offset };
      const { top, missed } = await this.memory.read(this.inner(topic), raw, limits);
      return { top: this.named(topic, top), missed };
    });
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    const readings = await Promise.all(
      topics.map(async (topic) => [topic, (await this.read(topic, undefined, noRecovery)).top] as const),
    );
    return new Map(readings);
  }

  latest(topic: string): Promise<LatestReading> {
    return this.call('latest', topic, async () => {
      const { top, publications } = await this.memory.latest(this.inner(topic));
      return { top: this.named(topic, top), publications };
    });
  }

  signal(text: string): Promise<void> {
    return this.memory.signal(text);
  }

  close(): Promise<void> {
    return this.memory.close();
  }

  /** Loses the topic's stream, unless somebody is subscribed: then a server would have to be told. */
  lose(topic: string): void {
    if (this.inForce.has(topic) || (this.deliveries.get(topic)?.count ?? 0) > 0) return;
    this.generations.set(topic, this.generation(topic) + 1);
    this.publications.lost(topic);
  }

  private async top(topic: string): Promise<void> {
    const { top } = await this.memory.read(this.inner(topic), undefined, noRecovery);
    this.named(topic, top);
  }

  private deliver(topic: string, epoch: string, publication: Publication): void {
    const { nowMs } = this.timeline;
    const deliveries = this.deliveries.get(topic) ?? { stopped: false, count: 0, lastMs: 0 };
    const atMs = Math.max(nowMs + this.pace.deliverMs, deliveries.lastMs);
    if (atMs === nowMs && deliveries.count === 0) {
      this.sink?.publication(topic, epoch, publication);
      return;
    }
    this.deliveries.set(topic, deliveries);
    deliveries.lastMs = atMs;
    deliveries.count += 1;
    this.pendingCount += 1;
    this.timeline.in(atMs - nowMs, () => {
      deliveries.count -= 1;
      this.pendingCount -= 1;
      if (!deliveries.stopped) this.sink?.publication(topic, epoch, publication);
    });
  }

  /** Takes place when the command is there; the commands of one topic stay in their order. */
  private async call<T>(kind: BrokerCall | 'unsubscribe', topic: string, work: () => Promise<T>): Promise<T> {
    const { thereMs, backMs, fails } = this.pace;
    const { nowMs } = this.timeline;
    const calls = this.calls.get(topic) ?? { count: 0, lastMs: 0 };
    if (thereMs > 0 || calls.count > 0) {
      this.calls.set(topic, calls);
      calls.count += 1;
      calls.lastMs = Math.max(nowMs + thereMs, calls.lastMs);
      await this.passed(calls.lastMs - nowMs);
      calls.count -= 1;
    }
    if (fails === kind) throw new Error(`The broker failed to ${kind}`);
    const result = await work();
    if (backMs > 0) await this.passed(backMs);
    return result;
  }

  private passed(ms: number): Promise<void> {
    this.pendingCount += 1;
    return new Promise((resolve) => {
      this.timeline.in(ms, () => {
        this.pendingCount -= 1;
        resolve();
      });
    });
  }

  private named(topic: string, { epoch, offset }: Position): Position {
    const name = this.nameOf(epoch);
    this.publications.began(topic, name);
    return { epoch: name, offset };
  }

  private nameOf(raw: string): string {
    let name = this.epochNames.get(raw);
    if (name === undefined) {
      name = `epoch-${String(this.epochNames.size + 1)}`;
      this.epochNames.set(raw, name);
    }
    return name;
  }

  private rawOf(name: string): string {
    for (const [raw, known] of this.epochNames) if (known === name) return raw;
    return name;
  }

  private generation(topic: string): number {
    return this.generations.get(topic) ?? 0;
  }

  private inner(topic: string): string {
    return `${topic}~${String(this.generation(topic))}`;
  }
}

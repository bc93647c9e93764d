import { MemoryBroker } from '../../brokers/memory/memory-broker.js';
import type {
  Broker,
  BrokerSink,
  LatestReading,
  Published,
  BrokerPublishOptions,
  RecoveryLimits,
  StreamReading,
} from '../../core/ports/broker.js';
import type { Position } from '../../protocol/position.js';
import { Lineages } from '../lineages.js';
import type { Mishaps } from './mishaps.js';
import { ReplayClock } from './replay-clock.js';
import type { Publications } from './publications.js';
import { SimNetwork } from './sim-network.js';
import type { Timeline } from './timeline.js';

const noRecovery: RecoveryLimits = { count: 0, bytes: 0 };

/** A publication in the store, kept for the case that the store is rolled back. */
interface Stored {
  readonly data: string;
  readonly options: BrokerPublishOptions;
  readonly atMs: number;
}

/**
 * The memory broker behind a network that is slow, fails, loses streams or is rolled back, as the
 * world demands. Its epochs have the same names in every run, and it records every publication.
 */
export class SimBroker implements Broker {
  readonly solitary = true;
  readonly network: SimNetwork;
  private readonly memory: MemoryBroker;
  private readonly memoryClock: ReplayClock;
  private readonly lineages = new Lineages();
  private epochCount = 0;
  /** The content of each topic's stream. */
  private readonly log = new Map<string, Stored[]>();
  private readonly generations = new Map<string, number>();
  private readonly inForce = new Set<string>();

  constructor(
    private readonly timeline: Timeline,
    private readonly publications: Publications,
  ) {
    this.memoryClock = new ReplayClock(timeline.clock);
    this.memory = new MemoryBroker({ sweepMs: 1_000 }, this.memoryClock);
    this.network = new SimNetwork(timeline);
  }

  get available(): boolean {
    return this.network.available;
  }

  start(sink: BrokerSink): void {
    this.network.sink = sink;
    this.memory.start({
      ...sink,
      publication: (inner, _epoch, publication) => {
        const topic = inner.slice(0, inner.lastIndexOf('~'));
        this.network.deliver(topic, this.epochOf(topic), publication);
      },
    });
  }

  publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    return this.network.call('publish', topic, async () => {
      const { place, stored } = this.store(topic, data, options);
      const { offset, suppressed } = await stored;
      if (suppressed !== undefined) return { ...place, suppressed };
      if (offset !== place.offset)
        throw new Error(`The broker numbered ${topic} ${String(offset)}, not ${String(place.offset)}`);
      return place;
    });
  }

  subscribe(topic: string): Promise<void> {
    return this.network.call('subscribe', topic, () => {
      this.inForce.add(topic);
      return this.memory.subscribe(this.inner(topic));
    });
  }

  unsubscribe(topic: string): Promise<void> {
    return this.network.call('unsubscribe', topic, () => {
      this.inForce.delete(topic);
      this.network.stopDeliveries(topic);
      return this.memory.unsubscribe(this.inner(topic));
    });
  }

  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    return this.network.call('read', topic, async () => {
      const stored = await this.top(topic);
      const isKnown = since !== undefined && this.lineages.has(topic, since, this.named(topic, stored));
      const known = isKnown ? { epoch: stored.epoch, offset: since.offset } : undefined;
      const { top, missed } = await this.memory.read(this.inner(topic), known, limits);
      return { top: this.named(topic, top), missed };
    });
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    return new Map(await Promise.all(topics.map(async (topic) => [topic, await this.topOf(topic)] as const)));
  }

  latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    return this.network.call('latest', topic, async () => {
      const { top, ...reading } = await this.memory.latest(this.inner(topic), maxKeyAgeMs);
      return { top: this.named(topic, top), ...reading };
    });
  }

  signal(text: string): Promise<void> {
    return this.memory.signal(text);
  }

  close(): Promise<void> {
    return this.memory.close();
  }

  /**
   * Publishes as another server; local subscribers also receive it while the broker is available.
   */
  async publishElsewhere(topic: string, data: string, options: BrokerPublishOptions): Promise<void> {
    await this.store(topic, data, options).stored;
  }

  /** Loses the topic's stream. Subscriptions stay, and deliveries in flight still arrive. */
  lose(topic: string): void {
    this.publications.lost(topic);
    this.lineages.begin(topic, this.newEpoch());
    this.replaceStream(topic, []);
  }

  /**
   * Rolls the engine back by this many milliseconds: later publications are lost, and all topics
   * continue under new epochs.
   *
   * @param awayMs - how long it is unavailable; 0 for a rollback that goes unnoticed: deliveries in
   *   flight still arrive
   */
  goBack(lostMs: number, awayMs: number): void {
    if (awayMs > 0) this.network.goAway();
    for (const topic of this.log.keys()) {
      if (this.publications.top(topic) === undefined) continue;
      const end = this.publications.countAt(topic, this.timeline.nowMs - lostMs);
      const epoch = this.newEpoch();
      this.lineages.goOn(topic, epoch, end);
      this.publications.wentBack(topic, epoch, end);
      this.replaceStream(topic, (this.log.get(topic) ?? []).slice(0, end));
    }
    if (awayMs > 0) this.timeline.in(awayMs, () => this.network.comeBack());
    else this.timeline.in(1, () => this.suspect(undefined));
  }

  /** Schedules a mishap for the next deliveries of a topic. */
  mishap(topic: string, mishaps: Mishaps): void {
    this.network.disturbances.plan(topic, mishaps);
  }

  /** Reports that publications may have been missed. */
  suspect(topic: string | undefined): void {
    this.network.sink?.suspect(topic);
  }

  private topOf(topic: string): Promise<Position> {
    return this.network.call('tops', topic, async () => this.named(topic, await this.top(topic)));
  }

  private async top(topic: string): Promise<Position> {
    return (await this.memory.read(this.inner(topic), undefined, noRecovery)).top;
  }

  /** Stores at once; the memory broker's answer comes later. */
  private store(topic: string, data: string, options: BrokerPublishOptions) {
    this.publications.began(topic, this.epochOf(topic));
    const { nowMs } = this.timeline;
    const first = this.firstWith(topic, options.idempotencyKey);
    if (first !== undefined)
      return { place: first, stored: this.memory.publish(this.inner(topic), data, options) };
    const top = this.publications.isStale(topic, options) ? this.publications.top(topic) : undefined;
    if (top !== undefined)
      return { place: top, stored: this.memory.publish(this.inner(topic), data, options) };
    const place = this.publications.add(topic, data, options, nowMs);
    const log = this.log.get(topic) ?? [];
    this.log.set(topic, log);
    log.push({ data, options, atMs: nowMs });
    return { place, stored: this.memory.publish(this.inner(topic), data, options) };
  }

  /** The place of the publication with this key in the topic's stream. [L-4.15] */
  private firstWith(topic: string, key: string | undefined): Position | undefined {
    if (key === undefined) return undefined;
    const index = this.log.get(topic)?.findIndex(({ options }) => options.idempotencyKey === key) ?? -1;
    return index < 0 ? undefined : { epoch: this.epochOf(topic), offset: index + 1 };
  }

  /** Replaces the content of the topic's stream; subscriptions stay. */
  private replaceStream(topic: string, log: Stored[]): void {
    this.network.disturbances.happened(topic);
    const before = this.inner(topic);
    this.generations.set(topic, this.generation(topic) + 1);
    this.log.set(topic, log);
    for (const { data, options, atMs } of log)
      this.memoryClock.at(atMs, () => void this.memory.publish(this.inner(topic), data, options));
    if (!this.inForce.has(topic)) return;
    void this.memory.unsubscribe(before);
    void this.memory.subscribe(this.inner(topic));
  }

  private named(topic: string, { offset }: Position): Position {
    const epoch = this.epochOf(topic);
    this.publications.began(topic, epoch);
    return { epoch, offset };
  }

  private epochOf(topic: string): string {
    const known = this.lineages.epochOf(topic);
    if (known !== undefined) return known;
    const epoch = this.newEpoch();
    this.lineages.begin(topic, epoch);
    return epoch;
  }

  private newEpoch(): string {
    this.epochCount += 1;
    return `epoch-${String(this.epochCount)}`;
  }

  private generation(topic: string): number {
    return this.generations.get(topic) ?? 0;
  }

  private inner(topic: string): string {
    return `${topic}~${String(this.generation(topic))}`;
  }
}

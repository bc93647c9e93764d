import { MemoryBroker } from '../../brokers/memory/memory-broker.js';
import type {
  Broker,
  BrokerSink,
  LatestReading,
  Publication,
  Published,
  BrokerPublishOptions,
  RecoveryLimits,
  StreamReading,
} from '../../core/ports/broker.js';
import type { Position } from '../../protocol/position.js';
import { Lineages } from '../lineages.js';
import { Disturbances, type Mishaps } from './mishaps.js';
import { ReplayClock } from './replay-clock.js';
import type { Publications } from './publications.js';
import type { Timeline } from './timeline.js';

export type BrokerCall = 'subscribe' | 'read' | 'publish' | 'latest';

/** Travel times of calls in milliseconds: to the broker and, separately, back. */
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

/** A publication in the store, kept for the case that the store is rolled back. */
interface Stored {
  readonly data: string;
  readonly options: BrokerPublishOptions;
  readonly atMs: number;
}

interface Deliveries {
  stopped: boolean;
  count: number;
  lastMs: number;
}

/**
 * The memory broker behind a network that is slow, fails, loses streams or is rolled back, as the
 * world demands. Its epochs have the same names in every run, and it records every publication.
 */
export class SimBroker implements Broker {
  available = true;
  readonly solitary = true;
  pace = promptBroker;
  readonly disturbances: Disturbances;
  /** Calls and deliveries in flight. */
  pendingCount = 0;
  private readonly memory: MemoryBroker;
  private readonly memoryClock: ReplayClock;
  private readonly lineages = new Lineages();
  private epochCount = 0;
  /** The content of each topic's stream. */
  private readonly log = new Map<string, Stored[]>();
  private readonly generations = new Map<string, number>();
  private readonly inForce = new Set<string>();
  /**
   * Calls in flight to the broker by topic, and the time of the last one, which later calls must
   * not overtake.
   */
  private readonly calls = new Map<string, { count: number; lastMs: number }>();
  /** Deliveries in flight by topic; an unsubscribe cancels them. */
  private readonly deliveries = new Map<string, Deliveries>();
  private sink: BrokerSink | undefined;
  private outages = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly publications: Publications,
  ) {
    this.memoryClock = new ReplayClock(timeline.clock);
    this.memory = new MemoryBroker({ sweepMs: 1_000 }, this.memoryClock);
    this.disturbances = new Disturbances(timeline);
  }

  start(sink: BrokerSink): void {
    this.sink = sink;
    this.memory.start({
      ...sink,
      publication: (inner, _epoch, publication) => {
        const topic = inner.slice(0, inner.lastIndexOf('~'));
        this.deliver(topic, this.epochOf(topic), publication);
      },
    });
  }

  publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    return this.call('publish', topic, async () => {
      const { place, stored } = this.store(topic, data, options);
      const { offset, suppressed } = await stored;
      if (suppressed !== undefined) return { ...place, suppressed };
      if (offset !== place.offset)
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
   * @param awayMs how long it is unavailable; 0 for a rollback that goes unnoticed: deliveries in
   *   flight still arrive
   */
  goBack(lostMs: number, awayMs: number): void {
    if (awayMs > 0) this.goAway();
    for (const topic of this.log.keys()) {
      if (this.publications.top(topic) === undefined) continue;
      const end = this.publications.countAt(topic, this.timeline.nowMs - lostMs);
      const epoch = this.newEpoch();
      this.lineages.goOn(topic, epoch, end);
      this.publications.wentBack(topic, epoch, end);
      this.replaceStream(topic, (this.log.get(topic) ?? []).slice(0, end));
    }
    if (awayMs > 0) this.timeline.in(awayMs, () => this.comeBack());
    else this.timeline.in(1, () => this.suspect(undefined));
  }

  /** Schedules a mishap for the next deliveries of a topic. */
  mishap(topic: string, mishaps: Mishaps): void {
    this.disturbances.plan(topic, mishaps);
  }

  /** Reports that publications may have been missed. */
  suspect(topic: string | undefined): void {
    this.sink?.suspect(topic);
  }

  /**
   * Makes every call fail, including those in flight, and stops deliveries until the broker is
   * back.
   */
  goAway(): void {
    if (!this.available) return;
    this.outages += 1;
    this.available = false;
    this.disturbances.away = true;
    this.sink?.availability(false);
  }

  comeBack(): void {
    if (this.available) return;
    this.available = true;
    this.disturbances.back();
    this.sink?.availability(true);
  }

  private topOf(topic: string): Promise<Position> {
    return this.call('tops', topic, async () => this.named(topic, await this.top(topic)));
  }

  private async top(topic: string): Promise<Position> {
    return (await this.memory.read(this.inner(topic), undefined, noRecovery)).top;
  }

  /** Stores at once; the memory broker's answer comes later. */
  private store(topic: string, data: string, options: BrokerPublishOptions) {
    this.publications.began(topic, this.epochOf(topic));
    const { nowMs } = this.timeline;
    const top = this.publications.isStale(topic, options) ? this.publications.top(topic) : undefined;
    if (top !== undefined)
      return { place: top, stored: this.memory.publish(this.inner(topic), data, options) };
    const place = this.publications.add(topic, data, options, nowMs);
    const log = this.log.get(topic) ?? [];
    this.log.set(topic, log);
    log.push({ data, options, atMs: nowMs });
    return { place, stored: this.memory.publish(this.inner(topic), data, options) };
  }

  /** Replaces the content of the topic's stream; subscriptions stay. */
  private replaceStream(topic: string, log: Stored[]): void {
    this.disturbances.happened(topic);
    const before = this.inner(topic);
    this.generations.set(topic, this.generation(topic) + 1);
    this.log.set(topic, log);
    for (const { data, options, atMs } of log)
      this.memoryClock.at(atMs, () => void this.memory.publish(this.inner(topic), data, options));
    if (!this.inForce.has(topic)) return;
    void this.memory.unsubscribe(before);
    void this.memory.subscribe(this.inner(topic));
  }

  private deliver(topic: string, epoch: string, publication: Publication): void {
    if (!this.available) {
      this.disturbances.happened(topic);
      return;
    }
    const mishap = this.disturbances.next(topic);
    if (mishap !== undefined) this.disturbances.happened(topic);
    const { how, ms = 0 } = mishap ?? {};
    if (how === undefined || how === 'twice') this.carry(topic, epoch, publication);
    if (how === 'twice' || how === 'late') this.carryLate(topic, epoch, publication, ms);
  }

  /** Delivers in order. */
  private carry(topic: string, epoch: string, publication: Publication): void {
    const { nowMs } = this.timeline;
    const deliveries = this.deliveriesOf(topic);
    const atMs = Math.max(nowMs + this.pace.deliverMs, deliveries.lastMs);
    if (atMs === nowMs && deliveries.count === 0) {
      this.sink?.publication(topic, epoch, publication);
      return;
    }
    deliveries.lastMs = atMs;
    this.arrive(atMs - nowMs, deliveries, () => this.sink?.publication(topic, epoch, publication));
  }

  private carryLate(topic: string, epoch: string, publication: Publication, ms: number): void {
    this.arrive(ms, this.deliveriesOf(topic), () => this.sink?.publication(topic, epoch, publication));
  }

  private arrive(ms: number, deliveries: Deliveries, run: () => void): void {
    const { outages } = this;
    deliveries.count += 1;
    this.pendingCount += 1;
    this.timeline.in(ms, () => {
      deliveries.count -= 1;
      this.pendingCount -= 1;
      if (!deliveries.stopped && outages === this.outages) run();
    });
  }

  private deliveriesOf(topic: string): Deliveries {
    const deliveries = this.deliveries.get(topic) ?? { stopped: false, count: 0, lastMs: 0 };
    this.deliveries.set(topic, deliveries);
    return deliveries;
  }

  /** Runs the command when it reaches the broker; commands of one topic keep their order. */
  private async call<T>(
    kind: BrokerCall | 'unsubscribe' | 'tops',
    topic: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const { outages } = this;
    const isCut = (): boolean => kind !== 'unsubscribe' && (!this.available || outages !== this.outages);
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
    if (fails === kind || isCut()) throw new Error(`The broker failed to ${kind}`);
    const result = await work();
    if (backMs > 0) await this.passed(backMs);
    // The call took effect, but its caller does not learn of it.
    if (isCut()) throw new Error(`The broker failed to answer to ${kind}`);
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

import { randomUUID } from 'node:crypto';
import type {
  Broker,
  BrokerSink,
  HistoryRules,
  LatestReading,
  LatestRule,
  Publication,
  PublishOptions,
  RecoveryLimits,
  StreamReading,
} from '../../core/ports/broker.js';
import type { Cancel, Clock } from '../../core/ports/clock.js';
import { History } from '../../core/stream/history.js';
import type { Position } from '../../protocol/position.js';

interface Stream {
  readonly epoch: string;
  offset: number;
  history: History | undefined;
  rules: HistoryRules | undefined;
  /** By key; the empty one is for publications without. */
  latest: Map<string, Publication> | undefined;
}

/** Keys that a topic remembers the last publication of; beyond it the one that was silent longest is forgotten. */
const maxKeys = 10_000;

export interface MemoryBrokerOptions {
  /**
   * Topics whose position is remembered. Beyond it the longest untouched one without subscribers is forgotten and
   * starts a new epoch when it is used again.
   *
   * @default 100000
   */
  readonly maxStreams?: number;
  /** Milliseconds between two looks for expired history. @default 30000 */
  readonly sweepMs?: number;
}

/** All streams in this process. What is published is delivered before `publish` returns. */
export class MemoryBroker implements Broker {
  private readonly streams = new Map<string, Stream>();
  private readonly subscribed = new Set<string>();
  private readonly maxStreams: number;
  private readonly sweepMs: number;
  private sink: BrokerSink | undefined;
  private cancelSweep: Cancel | undefined;
  private closed = false;

  constructor(
    private readonly clock: Clock,
    { maxStreams = 100_000, sweepMs = 30_000 }: MemoryBrokerOptions = {},
  ) {
    this.maxStreams = maxStreams;
    this.sweepMs = sweepMs;
  }

  start(sink: BrokerSink): void {
    this.sink = sink;
    this.planSweep();
  }

  async publish(topic: string, data: string, { key, history, latest }: PublishOptions): Promise<Position> {
    this.checkOpen();
    const stream = this.touch(topic);
    stream.offset += 1;
    const publication: Publication = { offset: stream.offset, data, ...(key !== undefined && { key }) };
    if (history !== undefined && history.size > 0) {
      stream.rules = history;
      stream.history ??= new History();
      stream.history.add(publication, history, this.clock.now());
    }
    if (latest !== undefined) remember((stream.latest ??= new Map()), publication, latest);
    if (this.subscribed.has(topic)) this.sink?.publication(topic, stream.epoch, publication);
    return { epoch: stream.epoch, offset: publication.offset };
  }

  async subscribe(topic: string): Promise<void> {
    this.checkOpen();
    this.subscribed.add(topic);
  }

  async unsubscribe(topic: string): Promise<void> {
    this.subscribed.delete(topic);
  }

  async read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    this.checkOpen();
    const stream = this.touch(topic);
    const top = { epoch: stream.epoch, offset: stream.offset };
    if (since === undefined || since.epoch !== stream.epoch) return { top, missed: undefined };
    if (since.offset === stream.offset) return { top, missed: [] };
    if (stream.rules !== undefined) stream.history?.expire(stream.rules.ttlMs, this.clock.now());
    return { top, missed: stream.history?.after(since.offset, stream.offset, limits) };
  }

  async latest(topic: string): Promise<LatestReading> {
    this.checkOpen();
    const { epoch, offset, latest } = this.touch(topic);
    return { top: { epoch, offset }, publications: [...(latest?.values() ?? [])] };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelSweep?.();
    this.streams.clear();
    this.subscribed.clear();
  }

  /** The topic's stream, made if it is new, and now the one touched last. */
  private touch(topic: string): Stream {
    let stream = this.streams.get(topic);
    if (stream === undefined) {
      stream = { epoch: randomUUID(), offset: 0, history: undefined, rules: undefined, latest: undefined };
      this.makeRoom();
    } else {
      this.streams.delete(topic);
    }
    this.streams.set(topic, stream);
    return stream;
  }

  private makeRoom(): void {
    if (this.streams.size < this.maxStreams) return;
    for (const topic of this.streams.keys()) {
      if (this.subscribed.has(topic)) continue;
      this.streams.delete(topic);
      return;
    }
  }

  private planSweep(): void {
    this.cancelSweep = this.clock.after(this.sweepMs, () => {
      const now = this.clock.now();
      for (const { history, rules } of this.streams.values()) {
        if (rules !== undefined) history?.expire(rules.ttlMs, now);
      }
      this.planSweep();
    });
  }

  private checkOpen(): void {
    if (this.closed) throw new Error('The memory broker is closed.');
  }
}

function remember(latest: Map<string, Publication>, publication: Publication, rule: LatestRule): void {
  const { key } = publication;
  if (rule === 'last-per-key' && key === undefined) return;
  const place = rule === 'last' ? '' : (key ?? '');
  latest.delete(place);
  latest.set(place, publication);
  if (latest.size <= maxKeys) return;
  const [silentLongest] = latest.keys();
  if (silentLongest !== undefined) latest.delete(silentLongest);
}

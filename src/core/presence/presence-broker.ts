import type {
  Broker,
  BrokerSink,
  LatestReading,
  Published,
  BrokerPublishOptions,
  RecoveryLimits,
  StreamReading,
  HistoryRules,
  Publication,
} from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Policy } from '../ports/policy.js';
import type { Position } from '../../protocol/position.js';
import { randomUUID } from 'node:crypto';
import { isPersonal, markedEpoch, unmarkedPosition } from '../fanout/personal-topic.js';
import { History } from '../stream/history.js';

/** The position for clients, with the mark of the user for a personal topic. */
function marked<P extends Position>(topic: string, position: P): P {
  const epoch = markedEpoch(topic, position.epoch);
  return epoch === position.epoch ? position : { ...position, epoch };
}

/**
 * Adds presence streams to the engine. Each instance builds them from what it knows: they need no
 * storage, and each event appears once, whichever instance it comes from. Also marks the epochs of
 * personal topics.
 */
export class PresenceBroker implements Broker {
  readonly lossless?: true;
  readonly solitary?: true;
  private readonly streams = new Map<string, PresenceStream>();
  private sink: BrokerSink | undefined;

  constructor(
    private readonly engine: Broker,
    private readonly policy: Policy,
    private readonly clock: Clock,
  ) {
    if (engine.lossless === true) this.lossless = true;
    if (engine.solitary === true) this.solitary = true;
  }

  get available(): boolean {
    return this.engine.available;
  }

  isLocal(topic: string): boolean {
    return this.engine.isLocal?.(topic) === true;
  }

  start(sink: BrokerSink): void {
    this.sink = sink;
    this.engine.start({
      publication: (topic, epoch, publication) =>
        sink.publication(topic, markedEpoch(topic, epoch), publication),
      suspect: (topic) => sink.suspect(topic),
      availability: (available) => sink.availability(available),
      signal: (text) => sink.signal(text),
    });
  }

  /** Publishes a presence event if the topic has readers here. */
  tell(topic: string, data: string, key: string): void {
    const stream = this.streams.get(topic);
    if (stream === undefined) return;
    const publication = stream.add(data, key, this.clock.now());
    this.sink?.publication(topic, stream.top.epoch, publication);
  }

  /** Current position of a presence stream. */
  top(topic: string): Position | undefined {
    return this.streams.get(topic)?.top;
  }

  publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    const published = this.engine.publish(topic, data, options);
    return isPersonal(topic) ? published.then((position) => marked(topic, position)) : published;
  }

  subscribe(topic: string): Promise<void> {
    if (this.policy.rulesFor(topic)?.tellsPresenceOf === undefined) return this.engine.subscribe(topic);
    if (!this.streams.has(topic)) this.streams.set(topic, new PresenceStream());
    return Promise.resolve();
  }

  unsubscribe(topic: string): Promise<void> {
    return this.streams.delete(topic) ? Promise.resolve() : this.engine.unsubscribe(topic);
  }

  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    const stream = this.streams.get(topic);
    if (stream !== undefined) return Promise.resolve(stream.read(since, limits, this.clock.now()));
    if (!isPersonal(topic)) return this.engine.read(topic, since, limits);
    const reading = this.engine.read(topic, since && unmarkedPosition(topic, since), limits);
    return reading.then(({ top, missed }) => ({ top: marked(topic, top), missed }));
  }

  async tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    const elsewhere = topics.filter((topic) => !this.streams.has(topic));
    const tops = new Map(elsewhere.length > 0 ? await this.engine.tops(elsewhere) : []);
    for (const topic of topics) {
      const top = this.top(topic) ?? tops.get(topic);
      if (top !== undefined) tops.set(topic, marked(topic, top));
    }
    return tops;
  }

  latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    return this.engine.latest(topic, maxKeyAgeMs);
  }

  signal(text: string): Promise<void> {
    return this.engine.signal(text);
  }

  close(): Promise<void> {
    this.streams.clear();
    return this.engine.close();
  }
}

/** For clients that were away briefly. Others get the member list instead. */
const history: HistoryRules = { size: 100, ttlMs: 300_000, maxBytes: 262_144 };

/**
 * Presence events of one topic as this instance saw them: a separate stream with its own epoch.
 * [L-11.7]
 */
export class PresenceStream {
  private readonly epoch = randomUUID();
  private readonly history = new History();
  private offset = 0;

  get top(): Position {
    return { epoch: this.epoch, offset: this.offset };
  }

  add(data: string, key: string, nowMs: number): Publication {
    this.offset += 1;
    const publication: Publication = { offset: this.offset, data, key };
    this.history.add(publication, history, nowMs);
    return publication;
  }

  read(since: Position | undefined, limits: RecoveryLimits, nowMs: number): StreamReading {
    const { top } = this;
    if (since?.epoch !== top.epoch) return { top, missed: undefined };
    this.history.expire(history.ttlMs, nowMs);
    const missed = since.offset === top.offset ? [] : this.history.after(since.offset, top.offset, limits);
    return { top, missed };
  }
}

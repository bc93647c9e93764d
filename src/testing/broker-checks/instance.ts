import assert from 'node:assert/strict';
import type { Broker, BrokerSink, Publication, RecoveryLimits } from '../../core/ports/broker.js';
import type { Position } from '../../protocol/position.js';
import type { Patience } from './timing.js';

/** One publication that reached the sink. */
export interface Delivered extends Publication {
  readonly topic: string;
  readonly epoch: string;
}

/** A started broker and everything it has reported to its sink. */
export class Instance {
  readonly delivered: Delivered[] = [];
  /** `undefined` stands for all topics. */
  readonly suspected: (string | undefined)[] = [];
  readonly availability: boolean[] = [];
  readonly signals: string[] = [];
  readonly sink: BrokerSink = {
    publication: (topic, epoch, publication) => {
      this.delivered.push({ topic, epoch, ...publication });
    },
    suspect: (topic) => {
      this.suspected.push(topic);
    },
    availability: (available) => {
      this.availability.push(available);
    },
    signal: (text) => {
      this.signals.push(text);
    },
  };

  constructor(
    readonly broker: Broker,
    private readonly patience: Patience,
  ) {}

  of(topic: string): Delivered[] {
    return this.delivered.filter((one) => one.topic === topic);
  }

  offsets(topic: string): number[] {
    return this.of(topic).map(({ offset }) => offset);
  }

  async top(topic: string): Promise<Position> {
    return (await this.broker.read(topic, undefined, { count: 0, bytes: 0 })).top;
  }

  /** The data of the publications after `since`. */
  async missed(topic: string, since: Position, limits: RecoveryLimits): Promise<string[] | undefined> {
    const { missed } = await this.broker.read(topic, since, limits);
    return missed?.map(({ data }) => data);
  }

  /** Waits until the topic's publications up to `offset` of the epoch are delivered. */
  async reached(topic: string, { epoch, offset }: Position): Promise<void> {
    await this.patience.until(`${topic} is delivered up to ${String(offset)}`, () =>
      this.delivered.some((one) => one.topic === topic && one.epoch === epoch && one.offset >= offset),
    );
  }

  /** Publishes `1…count` in sequence; returns the last position. */
  async publishMany(topic: string, count: number, options: Parameters<Broker['publish']>[2] = {}) {
    let last: Position | undefined;
    for (let n = 1; n <= count; n++) last = await this.broker.publish(topic, String(n), options);
    assert.ok(last);
    return last;
  }
}

/** `from…to` as JSON texts. */
export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
}

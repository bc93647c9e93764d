import type { Broker, BrokerSink, Publication } from '../../../src/core/ports/broker.js';
import type { Position } from '../../../src/protocol/position.js';

/** Consecutive look-ups that may fail, 50 ms apart. */
const maxFailures = 100;

const limits = { count: 100_000, bytes: 100_000_000 };

interface Reading {
  position: Position;
  /** Delivered data by `epoch offset`. */
  readonly taken: Map<string, string>;
  /** The same by offset. An offset that is assigned again after a loss has several. */
  readonly byOffset: Map<number, string[]>;
  /** The reported losses, from the last delivered position up to `to`. */
  readonly reported: {
    readonly from: Position;
    readonly to: Position;
    readonly epochs: ReadonlySet<string>;
  }[];
  /** How often the stream continued under another epoch without a loss. */
  continued: number;
  /** Epochs that this reading has continued exactly. The current one is last. */
  epochs: Set<string>;
  /** Deliveries that were out of order or repeated. Must stay 0. */
  disorder: number;
  healing: Promise<void> | undefined;
  /** How often a look-up was requested. */
  asked: number;
}

/**
 * The smallest reader that loses nothing silently, as the broker port demands: it looks up what is
 * not the next publication, and reports what cannot be looked up.
 */
export class BrokerReader implements BrokerSink {
  readonly readings = new Map<string, Reading>();
  readonly availabilities: boolean[] = [];
  suspects = 0;

  constructor(private readonly broker: Broker) {
    broker.start(this);
  }

  async follow(topic: string): Promise<void> {
    await this.broker.subscribe(topic);
    const { top } = await this.broker.read(topic, undefined, limits);
    this.readings.set(topic, {
      position: top,
      taken: new Map(),
      byOffset: new Map(),
      reported: [],
      continued: 0,
      epochs: new Set([top.epoch]),
      disorder: 0,
      healing: undefined,
      asked: 0,
    });
  }

  publication(topic: string, epoch: string, publication: Publication): void {
    const reading = this.readings.get(topic);
    if (reading === undefined) return;
    const { position } = reading;
    if (epoch === position.epoch && publication.offset <= position.offset) return;
    if (
      reading.healing === undefined &&
      epoch === position.epoch &&
      publication.offset === position.offset + 1
    )
      this.take(reading, epoch, publication);
    else this.heal(topic, reading);
  }

  suspect(topic?: string): void {
    this.suspects += 1;
    for (const [name, reading] of this.readings)
      if (topic === undefined || topic === name) this.heal(name, reading);
  }

  availability(available: boolean): void {
    this.availabilities.push(available);
  }

  signal(): void {}

  /** Resolves once every topic has reached its end. */
  async caughtUp(): Promise<void> {
    for (let tries = 0; ; tries++) {
      await Promise.all([...this.readings.values()].map(({ healing }) => healing));
      const tops = await this.broker.tops([...this.readings.keys()]).catch(() => undefined);
      const behind = [...this.readings].filter(([topic, { position }]) => {
        const top = tops?.get(topic);
        return top?.epoch !== position.epoch || top.offset !== position.offset;
      });
      if (behind.length === 0) return;
      if (tries > 100)
        throw new Error(
          `${String(behind.length)} topics are behind their ends, and the broker did not report it`,
        );
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
  }

  private heal(topic: string, reading: Reading): void {
    reading.asked += 1;
    reading.healing ??= this.lookUp(topic, reading);
  }

  /** Repeats until nothing has arrived during a look-up, because such deliveries are not taken. */
  private async lookUp(topic: string, reading: Reading): Promise<void> {
    for (let failures = 0; failures < maxFailures;) {
      const { position, asked } = reading;
      const answer = await this.broker.read(topic, position, limits).catch(() => undefined);
      if (answer === undefined) {
        failures += 1;
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
        continue;
      }
      const { top, missed } = answer;
      if (missed === undefined) {
        reading.reported.push({ from: position, to: top, epochs: reading.epochs });
        reading.epochs = new Set([top.epoch]);
        reading.position = top;
        continue;
      }
      const isContinued = top.epoch !== position.epoch;
      if (isContinued) {
        reading.continued += 1;
        reading.epochs.add(top.epoch);
        reading.position = { epoch: top.epoch, offset: position.offset };
      }
      for (const publication of missed) this.take(reading, top.epoch, publication);
      if (missed.length === 0 && !isContinued && asked === reading.asked) break;
    }
    reading.healing = undefined;
  }

  private take(reading: Reading, epoch: string, { offset, data }: Publication): void {
    if (epoch !== reading.position.epoch || offset !== reading.position.offset + 1) reading.disorder += 1;
    reading.taken.set(`${epoch} ${String(offset)}`, data);
    reading.byOffset.set(offset, [...(reading.byOffset.get(offset) ?? []), data]);
    reading.position = { epoch, offset };
  }
}

/** One publication that a broker has acknowledged. */
export interface Acknowledged extends Position {
  readonly topic: string;
  readonly data: string;
}

export interface Verdict {
  readonly acknowledged: number;
  /** Delivered as published. */
  readonly taken: number;
  /** Not delivered, and reported as lost. */
  readonly reported: number;
  /** Not delivered, or delivered with other data, without a report. Must be 0. */
  readonly silent: number;
  /** The first of these, with the reader's reports of its topic, to find the reason by. */
  readonly firstSilent: string | undefined;
  /** Delivered out of order. Must be 0. */
  readonly disorder: number;
}

/** Compares what a reader got with what was acknowledged. */
export function judge(acknowledged: readonly Acknowledged[], reader: BrokerReader): Verdict {
  let [taken, reported, silent] = [0, 0, 0];
  let firstSilent: string | undefined;
  for (const { topic, epoch, offset, data } of acknowledged) {
    const reading = reader.readings.get(topic);
    const covered = reading?.reported.some(
      ({ from, to, epochs }) =>
        (epochs.has(epoch) && offset > from.offset) || (to.epoch === epoch && offset <= to.offset),
    );
    // A publication stored under one epoch may be read under the next, which continues it.
    const given = reading?.taken.get(`${epoch} ${String(offset)}`);
    const isTaken = reading?.byOffset.get(offset)?.includes(data) === true;
    if (given === data || (given === undefined && isTaken)) taken += 1;
    else if (given === undefined && covered === true) reported += 1;
    else {
      silent += 1;
      firstSilent ??= `${topic} ${epoch} ${String(offset)}; ${JSON.stringify(reading?.reported)}, epochs ${[...(reading?.epochs ?? [])].join()}`;
    }
  }
  const disorder = [...reader.readings.values()].reduce((sum, reading) => sum + reading.disorder, 0);
  return { acknowledged: acknowledged.length, taken, reported, silent, firstSilent, disorder };
}

/** Positions with different data at two readers, or at a reader and a publisher. Must be empty. */
export function mixedPositions(
  acknowledged: readonly Acknowledged[],
  readers: readonly BrokerReader[],
): string[] {
  const held = new Map<string, string>();
  const mixed = new Set<string>();
  const hold = (place: string, data: string): void => {
    if ((held.get(place) ?? data) !== data) mixed.add(place);
    held.set(place, data);
  };
  for (const { topic, epoch, offset, data } of acknowledged)
    hold(`${topic} ${epoch} ${String(offset)}`, data);
  for (const { readings } of readers)
    for (const [topic, { taken }] of readings)
      for (const [place, data] of taken) hold(`${topic} ${place}`, data);
  return [...mixed];
}

import type { Healing, Topic } from '../fanout/topic.js';
import type { Broker } from '../ports/broker.js';
import type { Cancel } from '../ports/clock.js';
import { onTheWayMs, stoodStillMs } from './late-arrivals.js';
import { type HealingBudget, HealingTopic } from './healing-topic.js';
import { PositionCheck } from './position-check.js';
import { healingLimits } from './following.js';
import { Repair, type RepairParts } from './repair.js';
import { Retry } from './retry.js';

/** Topics that are read at a time: after an outage all of them may have moved. */
const maxReadings = 64;

/**
 * So often a reading may contradict what was delivered, in that it does not reach as far, before it is believed: it may
 * come from a replica that lags behind.
 */
const maxContradictions = 3;

export interface ContinuityParts extends RepairParts {
  readonly broker: Broker;
  /** Milliseconds between two checks of all topics; 0 for none. */
  readonly checkIntervalMs: number;
}

/**
 * Sees to it that what subscribers have of a topic has no gap that they do not know of: notices that something is
 * missing, fetches it once for all of them and delivers it in order, or has them told. [L-5.7] [L-5.8]
 */
export class Continuity {
  private readonly budget: HealingBudget = { chars: 0 };
  private readonly waiting = new Set<HealingTopic>();
  private readonly failed = new Set<HealingTopic>();
  private readonly positions: PositionCheck;
  private readonly retry: Retry;
  private readonly repair: Repair;
  private readings = 0;
  private cancelPeriod: Cancel = () => {};
  private stopped = false;

  constructor(private readonly parts: ContinuityParts) {
    const { hub, broker, clock, observer } = parts;
    hub.onGap = (topic, epoch, publication) => this.heal(topic).take(epoch, publication);
    hub.onDesync = (topic) => void this.heal(topic);
    this.retry = new Retry(clock, () => this.tryAgain());
    this.repair = new Repair(parts);
    this.positions = new PositionCheck(
      hub,
      broker,
      (topic) => void this.heal(topic),
      (error) => {
        observer.failed('comparing positions with the broker', error);
        this.planRetry();
      },
    );
  }

  /** Begins to compare the positions of all topics with the broker's, every so often. */
  start(): void {
    const { checkIntervalMs, broker } = this.parts;
    if (checkIntervalMs > 0 && broker.lossless !== true) this.checkIn(checkIntervalMs);
  }

  /** After a standstill of the process, what has come in waits to be read: only then the comparison says what is missing. */
  private checkIn(ms: number): void {
    const { clock, broker } = this.parts;
    const dueMs = clock.now() + ms;
    this.cancelPeriod = clock.after(ms, () => {
      if (clock.now() - dueMs >= stoodStillMs) {
        this.checkIn(onTheWayMs);
        return;
      }
      if (broker.available) this.positions.ask();
      this.start();
    });
  }

  /** No more timers. */
  stop(): void {
    this.stopped = true;
    this.cancelPeriod();
    this.retry.stop();
    this.repair.stop();
  }

  /** Publications may have been missed: positions are compared at once, and what has moved is healed. */
  suspect(name?: string): void {
    this.parts.observer.suspected();
    const topic = name === undefined ? undefined : this.parts.hub.find(name);
    if (name === undefined) this.positions.ask();
    else if (topic?.hasReaders === true) void this.heal(topic);
  }

  /** The broker has come back, or has gone: what could not be read is read now. */
  availability(available: boolean): void {
    if (!available) return;
    this.retry.reset();
    this.positions.ask();
    this.tryAgain();
  }

  private heal(topic: Topic): Healing {
    if (topic.healing !== undefined) return topic.healing;
    const healing = new HealingTopic(topic, this.budget, (over) => {
      this.waiting.delete(over);
      this.failed.delete(over);
      this.calm();
    });
    topic.healing = healing;
    this.waiting.add(healing);
    this.readNext();
    return healing;
  }

  private readNext(): void {
    for (const healing of this.waiting) {
      if (this.readings >= maxReadings) return;
      this.waiting.delete(healing);
      this.readings += 1;
      void this.read(healing).finally(() => {
        this.readings -= 1;
        this.readNext();
      });
    }
  }

  /** Reads until nothing is missing that could be read. */
  private async read(healing: HealingTopic): Promise<void> {
    const { broker, observer } = this.parts;
    try {
      while (!healing.isOver) {
        const reading = await broker.read(healing.topic.name, healing.ask(), healingLimits);
        if (healing.isOver) return;
        if (healing.contradicts(reading.top) && healing.contradictions < maxContradictions) {
          healing.contradictions += 1;
          throw new Error('The broker does not know what it has delivered');
        }
        if (this.repair.close(healing, reading)) healing.over();
      }
      this.calm();
    } catch (error) {
      // While the broker is away everything fails, and that has been told.
      if (broker.available) observer.failed('reading what is missing in a topic', error);
      if (healing.isOver) return;
      this.failed.add(healing);
      healing.failed(error);
      this.planRetry();
    }
  }

  /** While the broker is away there is nothing to try: it says when it is back. */
  private planRetry(): void {
    if (this.parts.broker.available && !this.stopped) this.retry.plan();
  }

  /** Nothing is to be tried again. */
  private calm(): void {
    if (this.failed.size === 0 && !this.positions.isBehind) this.retry.reset();
  }

  private tryAgain(): void {
    for (const healing of this.failed) this.waiting.add(healing);
    this.failed.clear();
    if (this.positions.isBehind) this.positions.ask();
    this.readNext();
  }
}

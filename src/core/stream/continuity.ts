import type { Healing, Topic } from '../fanout/topic.js';
import type { Broker } from '../ports/broker.js';
import type { Cancel } from '../ports/clock.js';
import { onTheWayMs, stoodStillMs } from './late-arrivals.js';
import { type HealingBudget, HealingTopic } from './healing-topic.js';
import { PositionCheck } from './position-check.js';
import { healingLimits } from './following.js';
import { Repair, type RepairParts } from './repair.js';
import { Retry } from './retry.js';

/** Maximum concurrent reads. After an outage every topic may have moved. */
const maxReadings = 64;

/**
 * How often a read may end before what was delivered until it is believed. It may come from a
 * replica that lags behind.
 */
const maxContradictions = 3;

export interface ContinuityParts extends RepairParts {
  readonly broker: Broker;
  /** Interval between checks of all topics, in milliseconds. 0 disables them. */
  readonly checkIntervalMs: number;
}

/**
 * Ensures that subscribers have no unreported gap: detects missing publications, fetches them once
 * for all subscribers and delivers them in order, or reports them lost. [L-5.7] [L-5.8]
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

  /** Starts to compare the positions of all topics with the broker's periodically. */
  start(): void {
    const { checkIntervalMs, broker } = this.parts;
    if (checkIntervalMs > 0 && broker.lossless !== true) this.checkIn(checkIntervalMs);
  }

  /**
   * After a suspension of the process, incoming data is still unread. The comparison waits until it
   * has been read.
   */
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

  /** Cancels all timers. */
  stop(): void {
    this.stopped = true;
    this.cancelPeriod();
    this.retry.stop();
    this.repair.stop();
  }

  /**
   * Publications may have been missed. Compares positions at once and repairs topics that have
   * moved.
   */
  suspect(name?: string): void {
    const { hub, observer } = this.parts;
    observer.suspected();
    if (name === undefined) {
      for (const { healing } of hub.topicsRead()) healing?.doubt();
      this.positions.ask();
      return;
    }
    const topic = hub.find(name);
    topic?.healing?.doubt();
    if (topic?.hasReaders === true) void this.heal(topic);
  }

  /** The broker became available or unavailable. Failed reads are repeated when it is back. */
  availability(available: boolean): void {
    if (!available) return;
    this.retry.reset();
    this.positions.ask();
    this.tryAgain();
  }

  /** Something is missing in the topic, or its position is in doubt: it is read from the broker. */
  heal(topic: Topic): Healing {
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

  /** Reads until nothing readable is missing. */
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
      // While the broker is unavailable every read fails, and that was already reported.
      if (broker.available) observer.failed('reading what is missing in a topic', error);
      if (healing.isOver) return;
      this.failed.add(healing);
      healing.failed(error);
      this.planRetry();
    }
  }

  /** The broker reports when it is back, so nothing is retried before. */
  private planRetry(): void {
    if (this.parts.broker.available && !this.stopped) this.retry.plan();
  }

  /** Resets the back-off if nothing has failed. */
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

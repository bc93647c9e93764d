import { LiveError } from '../../protocol/live.error.js';
import type { Broker, BrokerPublishOptions, Published } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { PublishRefusal } from '../ports/publish-refusal.js';
import type { TopicRules } from '../ports/policy.js';
import { PublishHealth } from './publish-health.js';
import { PublishQueue } from './publish-queue.js';
import { PublishTurns } from './publish-turns.js';
import type { PublishQueueLimits } from '../ports/limits.js';
import { type PublicationOptions, brokerOptions, checkSize } from './broker-options.js';

/** Topic of probes. Clients cannot name it. */
const probeTopic = '$live/probe';

/** The only path from this instance to the broker, for clients and the application. */
export class Publisher {
  /** Publications stored by the broker since the start, without suppressed ones. */
  publicationsTotal = 0;

  /** Tracks whether the engine accepts publications. */
  readonly health: PublishHealth;
  private readonly queue: PublishQueue | undefined;
  private readonly turns = new PublishTurns();

  /** @param limits - absent: publications never wait for an unavailable broker */
  constructor(
    private readonly broker: Broker,
    private readonly observer: Observer,
    clock: Clock,
    limits?: PublishQueueLimits,
  ) {
    this.health = new PublishHealth(clock, observer, () => broker.publish(probeTopic, 'null', {}));
    this.queue = limits && new PublishQueue(limits, clock, () => broker.available, notNow);
  }

  /** Publications that wait for the broker. */
  get waitingCount(): number {
    return this.queue?.size ?? 0;
  }

  /**
   * Rejects as `text` does, with `unavailable` if the broker cannot accept it now, or with
   * `limit-exceeded` if it never can.
   */
  publish(
    topic: string,
    text: string | Promise<string>,
    options: PublicationOptions,
    rules: TopicRules,
  ): Promise<Published> {
    if (typeof text !== 'string' || this.turns.waits(topic))
      return this.turns.take(topic, text, (checked) => this.publishNow(topic, checked, options, rules));
    return this.publishNow(topic, text, options, rules);
  }

  /**
   * Waits for an unavailable broker if there is a queue. Rejects with `unavailable` if the wait was
   * in vain.
   */
  publishOrWait(
    topic: string,
    text: string | Promise<string>,
    options: PublicationOptions,
    rules: TopicRules,
  ): Promise<Published> {
    if (typeof text !== 'string' || this.turns.waits(topic))
      return this.turns.take(topic, text, (checked) => this.sendOrWait(topic, checked, options, rules));
    return this.sendOrWait(topic, text, options, rules);
  }

  availability(available: boolean): void {
    if (available) this.queue?.flush();
  }

  /** Refuses everything queued. */
  stop(): void {
    this.queue?.refuseAll();
    this.health.stop();
  }

  private publishNow(
    topic: string,
    text: string,
    options: PublicationOptions,
    rules: TopicRules,
  ): Promise<Published> {
    if (!this.broker.available) return Promise.reject(notNow());
    return this.send(topic, text, options, rules);
  }

  private sendOrWait(
    topic: string,
    text: string,
    options: PublicationOptions,
    rules: TopicRules,
  ): Promise<Published> {
    if (this.broker.available) {
      // Keep the order behind queued publications.
      this.queue?.flush();
      return this.send(topic, text, options, rules);
    }
    const waiting = this.queue?.add(text, () => this.send(topic, text, options, rules));
    return waiting ?? Promise.reject(notNow());
  }

  /** Not `async`: what V8 keeps for that takes more memory than a short publication. */
  private send(
    topic: string,
    text: string,
    options: PublicationOptions,
    rules: TopicRules,
  ): Promise<Published> {
    try {
      checkSize(topic, text, rules);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const stored = this.broker.isLocal?.(topic) === true ? this.storedHere : this.stored;
    return this.toBroker(topic, text, brokerOptions(options, rules)).then(stored, this.refused);
  }

  private toBroker(topic: string, text: string, options: BrokerPublishOptions): Promise<Published> {
    try {
      return this.broker.publish(topic, text, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** A suppressed publication was not written, so it does not show whether writes are accepted. */
  private readonly stored = (published: Published): Published => {
    if (published.suppressed === undefined) this.health.accepted();
    return this.storedHere(published);
  };

  private readonly storedHere = (published: Published): Published => {
    if (published.suppressed === undefined) this.publicationsTotal += 1;
    return published;
  };

  private readonly refused = (error: unknown): never => {
    if (error instanceof PublishRefusal && error.kind === 'too-large')
      throw new LiveError('limit-exceeded', error.message);
    this.health.failed(error);
    this.observer.failed('publishing to the broker', error);
    throw notNow();
  };
}

function notNow(): LiveError {
  return new LiveError('unavailable', 'Publishing is not possible now', { retryAfterMs: 1_000 });
}

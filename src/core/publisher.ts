import { LiveError } from '../protocol/live.error.js';
import type { Broker, Published, PublishOptions } from './ports/broker.js';
import type { Observer } from './ports/observer.js';
import type { TopicRules } from './ports/policy.js';

/** What a publisher says of one publication; the rest are the topic's rules. */
export type PublicationOptions = Pick<PublishOptions, 'key' | 'idempotencyKey' | 'version'>;

/** The one way from this instance to the broker, for clients and for the application. */
export class Publisher {
  /** Stored by the broker since the start; what it suppressed does not count. */
  publicationsTotal = 0;

  constructor(
    private readonly broker: Broker,
    private readonly observer: Observer,
  ) {}

  /** Rejects with `unavailable` when the broker cannot take it. */
  async publish(
    topic: string,
    text: string,
    { key, idempotencyKey, version }: PublicationOptions,
    rules: TopicRules,
  ): Promise<Published> {
    if (!this.broker.available) throw notNow();
    try {
      const published = await this.broker.publish(topic, text, {
        ...(key !== undefined && { key }),
        ...(idempotencyKey !== undefined && { idempotencyKey }),
        ...(version !== undefined && { version }),
        ...(rules.latest !== undefined && { latest: rules.latest }),
        ...(rules.history !== undefined && { history: rules.history }),
      });
      if (published.suppressed === undefined) this.publicationsTotal += 1;
      return published;
    } catch (error) {
      this.observer.failed('publishing to the broker', error);
      throw notNow();
    }
  }
}

function notNow(): LiveError {
  return new LiveError('unavailable', 'Publishing is not possible now', { retryAfterMs: 1_000 });
}

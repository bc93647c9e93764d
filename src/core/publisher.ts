import { LiveError } from '../protocol/live.error.js';
import type { Position } from '../protocol/position.js';
import type { Broker } from './ports/broker.js';
import type { Observer } from './ports/observer.js';
import type { TopicRules } from './ports/policy.js';

/** The one way from this instance to the broker, for clients and for the application. */
export class Publisher {
  /** Accepted by the broker since the start. */
  publicationsTotal = 0;

  constructor(
    private readonly broker: Broker,
    private readonly observer: Observer,
  ) {}

  /** Rejects with `unavailable` when the broker cannot take it. */
  async publish(topic: string, text: string, key: string | undefined, rules: TopicRules): Promise<Position> {
    try {
      const position = await this.broker.publish(topic, text, {
        ...(key !== undefined && { key }),
        ...(rules.latest !== undefined && { latest: rules.latest }),
        ...(rules.history !== undefined && { history: rules.history }),
      });
      this.publicationsTotal += 1;
      return position;
    } catch (error) {
      this.observer.failed('publishing to the broker', error);
      throw new LiveError('unavailable', 'Publishing is not possible now', { retryAfterMs: 1_000 });
    }
  }
}

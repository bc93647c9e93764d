import { isTemporary } from '../protocol/codes.js';
import type { ErrorMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import type { Port } from './port.js';

/**
 * Unsubscribes that are not answered yet. A temporarily refused one is retried; its topic would go
 * on otherwise.
 */
export class PendingUnsubscribes {
  readonly #idByTopic = new Map<string, unknown>();
  /** Topics of those that were refused. */
  readonly #refused = new Set<string>();
  readonly #alarm: Alarm;
  #attempt = 0;
  readonly #port: Port;
  /** Whether the application has subscribed to the topic again. */
  readonly #isWanted: (topic: string) => boolean;

  constructor(port: Port, isWanted: (topic: string) => boolean) {
    this.#port = port;
    this.#isWanted = isWanted;
    this.#alarm = new Alarm(port.platform);
  }

  send(topic: string): void {
    this.#idByTopic.set(topic, this.#port.bundle.unsubscribe(topic, this.#attempt > 0));
  }

  answered(id: unknown, topic: string): void {
    if (this.#idByTopic.get(topic) !== id) return;
    this.#idByTopic.delete(topic);
    this.#attempt = 0;
  }

  /**
   * Handles an error that answers an unsubscribe. An error without a topic answers all with its id.
   */
  failed({ id, code, retryAfterMs, topic: named }: ErrorMessage): boolean {
    let found = false;
    for (const [topic, own] of this.#idByTopic) {
      if (own !== id || (named ?? topic) !== topic) continue;
      found = true;
      this.#idByTopic.delete(topic);
      if (isTemporary(code)) this.#refused.add(topic);
    }
    if (found && isTemporary(code))
      this.#alarm.set(positiveOrZero(retryAfterMs) + this.#port.backoffMs(this.#attempt++), () => {
        // A new subscribe has already replaced the old subscription on the server.
        for (const topic of this.#refused) if (!this.#isWanted(topic)) this.send(topic);
        this.#refused.clear();
      });
    return found;
  }

  /** The connection is gone, and its subscriptions with it. */
  down(): void {
    this.#idByTopic.clear();
    this.#refused.clear();
    this.#alarm.clear();
    this.#attempt = 0;
  }
}

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
  readonly #alarms = new Map<string, Alarm>();
  #attempt = 0;

  constructor(
    private readonly port: Port,
    /** Whether the application has subscribed to the topic again. */
    private readonly isWanted: (topic: string) => boolean,
  ) {}

  send(topic: string): void {
    this.#idByTopic.set(topic, this.port.unsubscribe(topic, this.#attempt > 0));
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
    const failed = [...this.#idByTopic].filter(
      ([topic, own]) => own === id && (named === undefined || named === topic),
    );
    if (failed.length === 0) return false;
    for (const [topic] of failed) this.#idByTopic.delete(topic);
    if (!isTemporary(code)) return true;
    const delayMs = positiveOrZero(retryAfterMs) + this.port.backoffMs(this.#attempt++);
    for (const [topic] of failed) this.#sendLater(topic, delayMs);
    return true;
  }

  /** The connection is gone, and its subscriptions with it. */
  down(): void {
    this.#idByTopic.clear();
    for (const alarm of this.#alarms.values()) alarm.clear();
    this.#alarms.clear();
    this.#attempt = 0;
  }

  #sendLater(topic: string, delayMs: number): void {
    const alarm = this.#alarms.get(topic) ?? new Alarm(this.port.platform);
    this.#alarms.set(topic, alarm);
    alarm.set(delayMs, () => {
      this.#alarms.delete(topic);
      // A new subscribe has already replaced the old subscription on the server.
      if (!this.isWanted(topic) && this.port.ready) this.send(topic);
    });
  }
}

import { isTemporary } from '../protocol/codes.js';
import type { ErrorMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { askedMs } from './backoff.js';
import type { Port } from './port.js';

/** The unsubscribes that are not answered yet: one that is refused for now is said again, or its topic would go on. */
export class Farewells {
  readonly #topicById = new Map<unknown, string>();
  readonly #alarms = new Map<string, Alarm>();
  #attempt = 0;

  constructor(
    private readonly port: Port,
    /** Whether somebody here wants the topic again. */
    private readonly isWanted: (topic: string) => boolean,
  ) {}

  say(topic: string): void {
    const id = this.port.nextId();
    this.#topicById.set(id, topic);
    this.port.send({ type: 'unsubscribe', id, topic });
  }

  answered(id: unknown): void {
    if (this.#topicById.delete(id)) this.#attempt = 0;
  }

  /** Whether the error answers an unsubscribe. */
  failed({ id, code, retryAfterMs }: ErrorMessage): boolean {
    const topic = this.#topicById.get(id);
    if (topic === undefined) return false;
    this.#topicById.delete(id);
    if (isTemporary(code))
      this.#sayLater(topic, askedMs(retryAfterMs) + this.port.backoffMs(this.#attempt++));
    return true;
  }

  /** The connection is gone, and all its subscriptions with it. */
  down(): void {
    this.#topicById.clear();
    for (const alarm of this.#alarms.values()) alarm.clear();
    this.#alarms.clear();
    this.#attempt = 0;
  }

  #sayLater(topic: string, delayMs: number): void {
    const alarm = this.#alarms.get(topic) ?? new Alarm(this.port.platform);
    this.#alarms.set(topic, alarm);
    alarm.set(delayMs, () => {
      this.#alarms.delete(topic);
      // Whoever wants it again has asked for it, and that took the place of what was there.
      if (!this.isWanted(topic) && this.port.ready) this.say(topic);
    });
  }
}

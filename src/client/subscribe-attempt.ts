import type { TopicRequest } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import type { Alarm } from './alarm.js';
import type { Port } from './port.js';

/**
 * A subscribe under way. A late answer is taken whenever it comes, and a link that is alive is left alone. Where the
 * server's time is up, the same is asked again under the same id: a pong has shown that no answer was on its way before it.
 */
export class SubscribeAttempt {
  readonly id: number;
  /** When it was sent, the last time. */
  #sentAt: number;
  #over = false;

  constructor(
    private readonly port: Port,
    private readonly alarm: Alarm,
    private readonly request: TopicRequest,
    /** Whether one before it failed. */
    again: boolean,
  ) {
    this.id = port.subscribe(request, again);
    this.#sentAt = port.platform.now();
    this.#await();
  }

  get since(): Position | undefined {
    return this.request.since;
  }

  end(): void {
    this.#over = true;
  }

  #await(): void {
    const { alarm, port } = this;
    alarm.set(port.requestTimeoutMs, () => port.suspect(() => this.#late()));
  }

  #late(): void {
    if (this.#over) return;
    const { port, id } = this;
    const now = port.platform.now();
    if (now - this.#sentAt >= port.answerTimeoutMs) {
      this.#sentAt = now;
      port.send({ type: 'subscribe', id, ...this.request });
    }
    this.#await();
  }
}

import type { TopicRequest } from '../protocol/client-messages.js';
import type { Position } from '../protocol/position.js';
import type { Alarm } from './alarm.js';
import type { Port } from './port.js';

/**
 * A subscribe in progress. A late answer is accepted at any time. After the server's time limit the
 * request is sent again with the same id: a pong has shown that no earlier answer is in flight.
 */
export class SubscribeAttempt {
  readonly id: number;
  /** Time the request was last sent. */
  #sentAt: number;
  #over = false;

  constructor(
    private readonly port: Port,
    private readonly alarm: Alarm,
    private readonly request: TopicRequest,
    /** Whether an earlier attempt failed. */
    again: boolean,
  ) {
    this.id = port.subscribe(request, again);
    this.#sentAt = port.platform.now();
    this.#await();
  }

  get since(): Position | undefined {
    return this.request.since;
  }

  /** A part of the answer has arrived, so the rest is under way. */
  heard(): void {
    this.#sentAt = this.port.platform.now();
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

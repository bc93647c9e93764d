import type { SubscribeRequest, TopicRequest, UnsubscribeRequest } from '../protocol/client-messages.js';
import type { LiveError } from '../protocol/live.error.js';
import { Alarm } from './alarm.js';
import type { Port } from './port.js';

/** Gaps closer together than this are retried with back-off. */
const gapsApartMs = 5_000;

/** In the form of its message. */
type SentRequest = { readonly id: number } & (
  SubscribeRequest | (UnsubscribeRequest & { readonly since?: undefined; readonly pages?: undefined })
);

/**
 * The requests of one topic, one at a time, and the delays between them. A late answer is accepted
 * at any time.
 */
export class TopicRequests {
  /** The one in progress. */
  current: SentRequest | undefined;
  /** When it was last sent, or a part of a start arrived. */
  #sentAt = 0;
  /** Consecutive failed ones. */
  #failed = 0;
  #lastGapAt = -Infinity;
  /** Timeout of a request, or delay before the next one. */
  readonly #alarm: Alarm;
  readonly #topic: string;
  readonly #port: Port;
  /** Called when the next one may be due. */
  readonly #next: () => void;

  constructor(topic: string, port: Port, next: () => void) {
    this.#topic = topic;
    this.#port = port;
    this.#next = next;
    this.#alarm = new Alarm(port.platform);
  }

  /** Whether neither an answer nor a delay is awaited. */
  get isIdle(): boolean {
    return !this.current && !this.#alarm.armed;
  }

  send(how: Omit<TopicRequest, 'topic'>): void {
    const request = { topic: this.#topic, ...how };
    const id = this.#port.bundle.subscribe(request, this.#failed > 0);
    this.current = { type: 'subscribe', id, ...request };
    this.heard();
    this.#await();
  }

  /** One that is not answered is not sent again: at worst the topic goes on. */
  unsubscribe(): void {
    const topic = this.#topic;
    const id = this.#port.bundle.unsubscribe(topic, this.#failed > 0);
    this.current = { type: 'unsubscribe', id, topic };
  }

  /** A part of a start has arrived, so the rest is under way. */
  heard(): void {
    this.#sentAt = this.#port.platform.now();
    if (!this.current) this.#probeLater(this.#next);
  }

  /** Awaits nothing more. */
  clear(): void {
    this.current = undefined;
    this.#alarm.clear();
  }

  /** Awaits nothing more, and the next request is the first of its kind. */
  reset(): void {
    this.clear();
    this.#failed = 0;
  }

  /** The server could not do it yet. Tries again after this time and the back-off. */
  retry(error: LiveError, afterMs: number): void {
    const { emit } = this.#port;
    const { current } = this;
    const isFirst = this.#failed === 0;
    this.clear();
    const delayMs = this.#later(afterMs);
    // The application no longer waits for the topic.
    if (current?.type === 'unsubscribe') return;
    if (isFirst) emit('error', error);
    emit('waiting', { topic: this.#topic, code: error.code, reason: error.message, delayMs });
  }

  /** Something is missing. A request under way repeats it. */
  gap(): void {
    if (!this.isIdle) return;
    const now = this.#port.platform.now();
    const isSoon = now - this.#lastGapAt < gapsApartMs;
    this.#lastGapAt = now;
    if (isSoon) this.#later(0);
    else this.#next();
  }

  /** A start arrives unrequested. If it is in flight, it arrives before a pong. */
  expectStart(): void {
    if (this.isIdle) this.#probeLater(this.#next);
  }

  /** An unrequested start has arrived. */
  started(): void {
    if (!this.current) this.#alarm.clear();
  }

  #later(afterMs: number): number {
    const delayMs = afterMs + this.#port.backoffMs(this.#failed++);
    this.#alarm.set(delayMs, this.#next);
    return delayMs;
  }

  /**
   * After the server's time limit the request is sent again with the same id: a pong has shown that
   * no earlier answer is in flight.
   */
  #await(): void {
    const port = this.#port;
    const { current } = this;
    this.#probeLater(() => {
      if (!current || current !== this.current) return;
      if (port.platform.now() - this.#sentAt >= port.answerTimeoutMs) {
        this.heard();
        port.send(current);
      }
      this.#await();
    });
  }

  #probeLater(onAlive: () => void): void {
    const { requestTimeoutMs, link } = this.#port;
    this.#alarm.set(requestTimeoutMs, () => link.probe(onAlive));
  }
}

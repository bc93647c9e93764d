import type { WelcomeLimits } from '../protocol/messages.js';
import type { ClientMessage, TopicRequest } from '../protocol/client-messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import type { Platform } from './platform.js';

/** How long a retried request waits for others that failed with it. */
const gatherMs = 20;

interface BundleParts {
  readonly platform: Platform;
  nextId(): number;
  send(message: ClientMessage): void;
}

/** Collects the requests of one microtask, so that many topics need one message. [L-3.14] */
export class Bundle {
  #maxTopics = 0;
  #maxBytes = 0;
  #bytes = 0;
  /** By topic. */
  readonly #subscribes = new Map<string, TopicRequest>();
  readonly #unsubscribes = new Set<string>();
  #subscribeId = 0;
  #unsubscribeId = 0;
  #due = false;
  readonly #alarm: Alarm;

  constructor(private readonly parts: BundleParts) {
    this.#alarm = new Alarm(parts.platform);
  }

  /** Starts a new connection. A server without list support gets one message per topic. */
  up({ maxTopicsPerMessage, maxMessageBytes }: Partial<WelcomeLimits>): void {
    this.#maxTopics = positiveOrZero(maxTopicsPerMessage);
    // JSON.stringify counts UTF-16 units, and each may take three bytes.
    this.#maxBytes = positiveOrZero(maxMessageBytes) / 3;
  }

  down(): void {
    this.#alarm.clear();
    this.#subscribes.clear();
    this.#unsubscribes.clear();
    this.#bytes = 0;
  }

  /** Returns the id that the answer will carry. */
  subscribe(request: TopicRequest, again: boolean): number {
    this.#room(JSON.stringify(request).length, this.#subscribes.size);
    if (this.#subscribes.size === 0) this.#subscribeId = this.parts.nextId();
    this.#subscribes.set(request.topic, request);
    this.#schedule(again);
    return this.#subscribeId;
  }

  unsubscribe(topic: string, again: boolean): number {
    this.#subscribes.delete(topic);
    this.#room(topic.length, this.#unsubscribes.size);
    if (this.#unsubscribes.size === 0) this.#unsubscribeId = this.parts.nextId();
    this.#unsubscribes.add(topic);
    this.#schedule(again);
    return this.#unsubscribeId;
  }

  /** Sends unsubscribes first, to free room for the new subscriptions. */
  flush(): void {
    this.#alarm.clear();
    const leave = [...this.#unsubscribes];
    const ask = [...this.#subscribes.values()];
    this.down();
    this.#send(leave, leave.length === 1 ? { topic: leave[0] } : { topics: leave }, 'unsubscribe');
    this.#send(ask, ask.length === 1 ? ask[0] : { topics: ask }, 'subscribe');
  }

  #send(list: readonly unknown[], what: object | undefined, type: 'subscribe' | 'unsubscribe'): void {
    const id = type === 'subscribe' ? this.#subscribeId : this.#unsubscribeId;
    if (list.length > 0) this.parts.send({ type, id, ...what } as ClientMessage);
  }

  /** Flushes the queue if one more item would exceed a limit. */
  #room(bytes: number, count: number): void {
    if (count > 0 && (count >= this.#maxTopics || this.#bytes + bytes > this.#maxBytes)) this.flush();
    this.#bytes += bytes + 3;
  }

  #schedule(again: boolean): void {
    if (this.#maxTopics === 0) this.flush();
    else if (again) {
      if (!this.#alarm.armed) this.#alarm.set(gatherMs, () => this.flush());
    } else if (!this.#due) {
      this.#due = true;
      queueMicrotask(() => {
        this.#due = false;
        this.flush();
      });
    }
  }
}

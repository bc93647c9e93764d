import type { WelcomeMessage } from '../protocol/messages.js';
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

/** Requests of one type that wait, by topic, and the id that they will have. */
interface Waiting {
  readonly type: 'subscribe' | 'unsubscribe';
  readonly byTopic: Map<string, TopicRequest | string>;
  id: number;
}

/** Collects the requests of one microtask, so that many topics need one message. [L-3.14] */
export class Bundle {
  #maxTopics = 0;
  #maxBytes = 0;
  #bytes = 0;
  readonly #unsubscribes: Waiting = { type: 'unsubscribe', byTopic: new Map(), id: 0 };
  readonly #subscribes: Waiting = { type: 'subscribe', byTopic: new Map(), id: 0 };
  #due = false;
  readonly #alarm: Alarm;
  readonly #parts: BundleParts;

  constructor(parts: BundleParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.platform);
  }

  /** Starts a new connection. A server without list support gets one message per topic. */
  up({ limits }: Pick<WelcomeMessage, 'limits'>): void {
    this.#maxTopics = positiveOrZero(limits.maxTopicsPerMessage);
    // JSON.stringify counts UTF-16 units, and each may take three bytes.
    this.#maxBytes = positiveOrZero(limits.maxMessageBytes) / 3;
  }

  down(): void {
    this.#alarm.clear();
    this.#subscribes.byTopic.clear();
    this.#unsubscribes.byTopic.clear();
    this.#bytes = 0;
  }

  /** Returns the id that the answer will carry. */
  subscribe(request: TopicRequest, again: boolean): number {
    return this.#add(this.#subscribes, request.topic, request, again);
  }

  unsubscribe(topic: string, again: boolean): number {
    this.#subscribes.byTopic.delete(topic);
    return this.#add(this.#unsubscribes, topic, topic, again);
  }

  /** Sends unsubscribes first, to free room for the new subscriptions. */
  flush(): void {
    const messages = [this.#unsubscribes, this.#subscribes].flatMap(({ type, byTopic, id }) => {
      const topics = [...byTopic.values()];
      const [first] = topics;
      if (first === undefined) return [];
      const one = typeof first === 'string' ? { topic: first } : first;
      return { type, id, ...(topics.length > 1 ? { topics } : one) } as ClientMessage;
    });
    this.down();
    for (const message of messages) this.#parts.send(message);
  }

  #add(waiting: Waiting, topic: string, request: TopicRequest | string, again: boolean): number {
    const { byTopic } = waiting;
    const bytes = JSON.stringify(request).length + 1;
    // One more must not exceed a limit.
    if (byTopic.size > 0 && (byTopic.size >= this.#maxTopics || this.#bytes + bytes > this.#maxBytes))
      this.flush();
    this.#bytes += bytes;
    if (byTopic.size === 0) waiting.id = this.#parts.nextId();
    byTopic.set(topic, request);
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
    return waiting.id;
  }
}

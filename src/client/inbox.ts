import type { Sink } from './local-subscription.js';
import type { LostNotice, PublicationMessage, TopicMessage } from './topic-messages.js';

const ended = { done: true, value: undefined } as const;

interface Reader {
  resolve(result: IteratorResult<TopicMessage, undefined>): void;
  reject(error: Error): void;
}

/**
 * Bounded queue of unread messages of an iterator. Dropped ones are replaced by a `lost` notice.
 */
export class Inbox implements Sink {
  #messages: TopicMessage[] = [];
  #readers: Reader[] = [];
  #over = false;
  #error: Error | undefined;
  readonly #max: number;

  constructor(max = 1_000) {
    this.#max = max;
  }

  message(message: TopicMessage): void {
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value: message });
      return;
    }
    this.#messages.push(message);
    while (this.#messages.length > this.#max) this.#dropOldest();
  }

  next(): Promise<IteratorResult<TopicMessage, undefined>> {
    const message = this.#messages.shift();
    if (message) return Promise.resolve({ done: false, value: message });
    if (!this.#over) return new Promise((resolve, reject) => void this.#readers.push({ resolve, reject }));
    const error = this.#error;
    this.#error = undefined;
    return error ? Promise.reject(error) : Promise.resolve(ended);
  }

  /** Queued messages remain readable. After them the error is thrown once. */
  end(error?: Error): void {
    this.#over = true;
    this.#error = error;
    for (const { resolve, reject } of this.#readers.splice(0)) {
      if (this.#error) reject(this.#error);
      else resolve(ended);
      this.#error = undefined;
    }
  }

  clear(): void {
    this.#messages = [];
  }

  /** Merges the oldest publication into the notice for those dropped before it. */
  #dropOldest(): void {
    const at = this.#messages.findIndex(({ type }) => type === 'event');
    if (at < 0) {
      // Only new starts are left, and each makes the previous one obsolete.
      this.#messages.shift();
      return;
    }
    const oldest = this.#messages[at] as PublicationMessage;
    const before = this.#messages[at - 1];
    const extended = before?.type === 'lost' && before.reason === 'overflow' ? before : undefined;
    const notice = overflow(oldest, extended);
    if (extended) this.#messages.splice(at - 1, 2, notice);
    else this.#messages[at] = notice;
  }
}

function overflow(dropped: PublicationMessage, before: LostNotice | undefined): LostNotice {
  const { topic, position } = dropped;
  const from = before?.from ?? dropped.from;
  const to = position.offset;
  return { type: 'lost', topic, reason: 'overflow', position, from, to, count: to - from + 1 };
}

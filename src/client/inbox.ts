import type { Sink } from './local-subscription.js';
import type { LostNotice, PublicationMessage, TopicMessage } from './topic-messages.js';

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
    this.#messages.push(message);
    this.#serve();
    while (this.#messages.length > this.#max) this.#dropOldest();
  }

  next(): Promise<IteratorResult<TopicMessage, undefined>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.#serve();
    });
  }

  /** Queued messages remain readable. After them the error is thrown once. */
  end(error?: Error): void {
    this.#over = true;
    this.#error = error;
    this.#serve();
  }

  /** Gives waiting readers what there is. */
  #serve(): void {
    while (this.#messages.length > 0 || this.#over) {
      const reader = this.#readers.shift();
      if (!reader) return;
      const value = this.#messages.shift();
      if (value) reader.resolve({ done: false, value });
      else if (this.#error) reader.reject(this.#error);
      else reader.resolve({ done: true, value: undefined });
      if (!value) this.#error = undefined;
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

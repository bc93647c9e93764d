import type { ErrorMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Incoming } from './port.js';

/** A start whose snapshot is not whole yet, its pages, and what came behind it. */
interface Unfinished {
  readonly start: SubscribedMessage;
  readonly pages: unknown[];
  readonly behind: Incoming[];
}

/** Puts the pages of snapshots together, and holds back what follows them. [L-6.10] */
export class Pages extends Map<string, Unfinished> {
  /** Returns whether it keeps the message. */
  take(message: Incoming, handle: (message: Incoming | ErrorMessage) => void): boolean {
    const { topic, type } = message;
    const unfinished = this.get(topic);
    // What ends the pages of an answer, answers in its place.
    const start = { id: unfinished?.start.id, ...message } as SubscribedMessage;
    const isAnswer = 'id' in message;
    const isEnd = type === 'unsubscribed';
    if (start.pages) this.set(topic, { start, pages: [], behind: [] });
    else if (type === 'page') {
      unfinished?.pages.push(message.snapshot);
      if (message.last && unfinished) this.#finish(topic, unfinished, handle);
    } else if (!unfinished) return false;
    else if (isAnswer || isEnd || (type === 'subscribed' && !message.recovered)) {
      this.delete(topic);
      if (isAnswer || start.id === undefined) return false;
      handle(
        isEnd
          ? { code: 'forbidden', ...message, type: 'error', id: start.id, message: message.reason ?? '' }
          : start,
      );
    } else unfinished.behind.push(message);
    return true;
  }

  #finish(topic: string, { start, pages, behind }: Unfinished, handle: (message: Incoming) => void): void {
    this.delete(topic);
    // Without a prototype, a key `__proto__` is one like any other.
    const snapshot: unknown = Array.isArray(pages[0])
      ? pages.flat()
      : Object.assign(Object.create(null) as object, ...(pages as object[]));
    for (const message of [{ ...start, snapshot, pages: undefined }, ...behind]) handle(message);
  }
}

import type { SubscribedMessage } from '../protocol/messages.js';
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
  take(message: Incoming, handle: (message: Incoming) => void): boolean {
    const { topic, type } = message;
    const unfinished = this.get(topic);
    if (type === 'subscribed' && message.pages) this.set(topic, { start: message, pages: [], behind: [] });
    else if (type === 'page') {
      unfinished?.pages.push(message.snapshot);
      if (message.last && unfinished !== undefined) this.#finish(topic, unfinished, handle);
    } else {
      if (unfinished === undefined) return false;
      const isStart = type === 'subscribed' && !message.recovered;
      if (!isStart && type !== 'unsubscribed') unfinished.behind.push(message);
      else {
        this.delete(topic);
        if (!isStart || message.id !== undefined) return false;
        const { id } = unfinished.start;
        // It answers in place of the start whose pages it ends.
        handle({ ...message, ...(id !== undefined && { id }) });
      }
    }
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

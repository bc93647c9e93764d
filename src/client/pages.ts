import type { RequestId } from '../protocol/client-messages.js';
import type { Entry, ErrorMessage, ServerMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Incoming } from './port.js';

/** A start whose snapshot is not whole yet, its pages, and what came behind it. */
interface Unfinished {
  readonly start: SubscribedMessage;
  readonly pages: unknown[];
  readonly behind: Incoming[];
}

/** The starts whose snapshot came as a list of entries, by the object made of it. [L-6.11] */
export const lists = new WeakMap<object, SubscribedMessage>();

/** A start with an object in place of a list of entries, which only collections need. */
export function withObject(message: ServerMessage): ServerMessage {
  if (message.type !== 'subscribed' || !message.entries || message.pages) return message;
  const snapshot: object = Object.fromEntries(message.snapshot as Iterable<Entry>);
  lists.set(snapshot, message);
  return { ...message, snapshot };
}

/** Puts the pages of snapshots together, and holds back what follows them. [L-6.10] */
export class Pages extends Map<string, Unfinished> {
  /** Returns whether it keeps the message. */
  take(message: Incoming, handle: (message: Incoming | ErrorMessage) => void): boolean {
    const { topic, type } = message;
    const unfinished = this.get(topic);
    if (type === 'subscribed' && message.pages) this.set(topic, { start: message, pages: [], behind: [] });
    else if (type === 'page') {
      unfinished?.pages.push(message.snapshot);
      if (message.last && unfinished) this.#finish(topic, unfinished, handle);
    } else {
      if (!unfinished) return false;
      const isEnd = type === 'unsubscribed';
      if (!isEnd && (type !== 'subscribed' || message.recovered)) unfinished.behind.push(message);
      else {
        this.delete(topic);
        if (message.id !== undefined) return false;
        // It answers in place of the start whose pages it ends.
        const id = unfinished.start.id as RequestId;
        handle(
          isEnd
            ? { code: 'forbidden', ...message, type: 'error', id, message: message.reason ?? '' }
            : { ...message, id },
        );
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

import { Inbox } from './inbox.js';
import type { Sink } from './local-subscription.js';
import type { EndMessage, TopicMessage } from './topic-messages.js';

/** One local subscription. */
export interface Subscription {
  readonly topic: string;
  /** Ends it; nothing more is delivered. Calling it again does nothing. */
  unsubscribe(): void;
}

/**
 * A subscription to iterate over, once. Leaving the loop unsubscribes. The loop ends when the client is closed, and throws
 * what ended the subscription otherwise: a `LiveError` of the server, or a `LiveClientError`.
 */
export interface IterableSubscription<Message> extends Subscription, AsyncIterable<Message, undefined> {
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined>;
}

interface Made<S> {
  readonly sink: Sink;
  readonly subscription: S;
}

/** Messages go to `tell` as they come. */
export function listening(
  topic: string,
  stop: () => void,
  tell: (message: TopicMessage | EndMessage) => void,
): Made<Subscription> {
  const end = (error: Error | undefined): void =>
    tell({ type: 'end', topic, ...(error !== undefined && { error }) });
  return { sink: { message: tell, end }, subscription: { topic, unsubscribe: stop } };
}

/** Messages wait to be read. */
export function iterable(
  topic: string,
  stop: () => void,
  maxQueued: number,
): Made<IterableSubscription<TopicMessage>> {
  const inbox = new Inbox(maxQueued);
  const unsubscribe = (): void => {
    stop();
    inbox.clear();
    inbox.end(undefined);
  };
  const iterator: AsyncIterator<TopicMessage, undefined> = {
    next: () => inbox.next(),
    return() {
      unsubscribe();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return {
    sink: { message: (message) => inbox.push(message), end: (error) => inbox.end(error) },
    subscription: { topic, unsubscribe, [Symbol.asyncIterator]: () => iterator },
  };
}

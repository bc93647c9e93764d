import type { Inbox } from './inbox.js';
import type { TopicMessage } from './topic-messages.js';

/** One local subscription. */
export interface Subscription {
  /** The topic that it follows. */
  readonly topic: string;
  /** Ends it. Nothing more is delivered. Calling it again does nothing. */
  unsubscribe(): void;
  /**
   * Changes the maximum number of publications per second; `undefined` removes the limit. With a
   * history nothing is lost. Without one, a `lost` message may report publications made during the
   * change.
   * @throws RangeError for an invalid rate
   */
  setMaxRate(maxRate: number | undefined): void;
}

/**
 * A subscription that can be iterated once. Leaving the loop unsubscribes. The loop ends when the
 * client is closed. If anything else ends the subscription, the loop throws a `LiveError` of the
 * server or a `LiveClientError`.
 */
export interface IterableSubscription<Message> extends Subscription, AsyncIterable<Message, undefined> {
  /** The same iterator on each call; its `return` unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined>;
}

/** Iterates what the inbox of a subscription queues. */
export function iterable(subscription: Subscription, inbox: Inbox): IterableSubscription<TopicMessage> {
  const unsubscribe = (): void => {
    subscription.unsubscribe();
    inbox.clear();
    inbox.end();
  };
  const iterator: AsyncIterator<TopicMessage, undefined> = {
    next: () => inbox.next(),
    return() {
      unsubscribe();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { ...subscription, unsubscribe, [Symbol.asyncIterator]: () => iterator };
}

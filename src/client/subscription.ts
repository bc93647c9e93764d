import { Inbox } from './inbox.js';
import type { Sink } from './local-subscription.js';
import type { EndMessage, TopicMessage } from './topic-messages.js';

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

/** What a subscription needs from the client. */
type Control = Pick<Subscription, 'unsubscribe' | 'setMaxRate'>;

/**
 * A subscription that can be iterated once. Leaving the loop unsubscribes. The loop ends when the
 * client is closed. If anything else ends the subscription, the loop throws a `LiveError` of the
 * server or a `LiveClientError`.
 */
export interface IterableSubscription<Message> extends Subscription, AsyncIterable<Message, undefined> {
  /** The same iterator on each call; its `return` unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined>;
}

interface Made<S> {
  readonly sink: Sink;
  readonly subscription: S;
}

/** Delivers messages to `tell` as they arrive. */
export function listening(
  topic: string,
  control: Control,
  tell: (message: TopicMessage | EndMessage) => void,
  linked: Sink['linked'],
): Made<Subscription> {
  const end = (error: Error | undefined): void =>
    tell({ type: 'end', topic, ...(error !== undefined && { error }) });
  return { sink: { message: tell, end, linked }, subscription: { topic, ...control } };
}

/** Queues messages until they are read. */
export function iterable(
  topic: string,
  control: Control,
  maxQueued: number,
): Made<IterableSubscription<TopicMessage>> {
  const inbox = new Inbox(maxQueued);
  const unsubscribe = (): void => {
    control.unsubscribe();
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
    subscription: { topic, ...control, unsubscribe, [Symbol.asyncIterator]: () => iterator },
  };
}

import { Inbox } from './inbox.js';
import type { Sink } from './local-subscription.js';
import type { EndMessage, TopicMessage } from './topic-messages.js';

/** One local subscription. */
export interface Subscription {
  readonly topic: string;
  /** Ends it; nothing more is delivered. Calling it again does nothing. */
  unsubscribe(): void;
  /**
   * Asks for so many publications per second at most from now on, `undefined` for as many as there are. Nothing is lost by
   * it where the topic keeps a history; elsewhere a `lost` message may tell what was published meanwhile.
   * @throws RangeError for what is no rate
   */
  setMaxRate(maxRate: number | undefined): void;
}

/** What a subscription asks of the client. */
type Control = Pick<Subscription, 'unsubscribe' | 'setMaxRate'>;

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
  control: Control,
  tell: (message: TopicMessage | EndMessage) => void,
): Made<Subscription> {
  const end = (error: Error | undefined): void =>
    tell({ type: 'end', topic, ...(error !== undefined && { error }) });
  return { sink: { message: tell, end }, subscription: { topic, ...control } };
}

/** Messages wait to be read. */
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

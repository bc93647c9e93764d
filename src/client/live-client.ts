import type { PublishRequest } from '../protocol/client-messages.js';
import type { PublishedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import type {
  AnswerOf,
  ClientDataOf,
  EntryOf,
  PublishParameters,
  RequestParameters,
  TopicOf,
} from '../protocol/topic-types.js';
import type {
  IterateOptions,
  LiveClientOptions,
  ClientPublishOptionsOf,
  RemoveOptions,
  RemoveOptionsOf,
  RequestOptions,
  SubscribeOptions,
} from './live-client.options.js';
import { Inbox } from './inbox.js';
import { LiveReader } from './live-reader.js';
import { Pages } from './pages.js';
import type { QueuedPublishOptions } from './publish-queue.options.js';
import { Refresher } from './refresher.js';
import { Requests } from './requests.js';
import { type IterableSubscription, iterable, type Subscription } from './subscription.js';
import type { EndMessage, MessageOf, TopicMessage } from './topic-messages.js';

/**
 * A live connection that reconnects by itself, with its subscriptions. In a page it connects at
 * once. In Node and other runtimes without a page it connects at its first use: `subscribe`,
 * `publish`, `request`, `on('status')` or `reconnect`.
 * @throws Error if the runtime has no WebSocket and none was passed, when it would connect
 * @throws LiveError if the credential cannot be sent in the subprotocol list
 */
export class LiveClient<
  TopicMap extends object = Record<string, unknown>,
  RequestMap extends object = Record<string, unknown>,
> extends LiveReader<TopicMap> {
  readonly #requests: Requests;

  constructor(url: string | URL, options: LiveClientOptions = {}) {
    super(url, options);
    const { session } = this;
    this.#requests = new Requests(session, options.queue);
    session.topics.pages = new Pages();
    session.link.parts.push(this.#requests, new Refresher(session, session.credentials, this.#requests));
  }

  /**
   * Calls `listener` with every message of the topic until `unsubscribe()` or an `end` message,
   * across reconnects. Several subscriptions to one topic share one on the server; each begins with
   * its own `start`.
   * @throws TypeError for an invalid topic name or `since`
   * @throws RangeError for an invalid `maxRate`
   * @throws LiveClientError `closed`
   */
  override subscribe<T extends TopicOf<TopicMap>>(
    topic: T,
    listener: (message: MessageOf<EntryOf<TopicMap, T>> | EndMessage) => void,
    options?: SubscribeOptions,
  ): Subscription;
  /** The same for `for await`. Unread messages are queued, up to a limit. */
  override subscribe<T extends TopicOf<TopicMap>>(
    topic: T,
    options?: IterateOptions,
  ): IterableSubscription<MessageOf<EntryOf<TopicMap, T>>>;
  override subscribe(
    topic: string,
    first?: ((message: never) => void) | IterateOptions,
    second?: SubscribeOptions,
  ): Subscription | IterableSubscription<TopicMessage> {
    if (typeof first === 'function') return super.subscribe(topic as never, first as never, second);
    const inbox = new Inbox(first?.maxQueued);
    return iterable(this.subscribing(topic, first, inbox), inbox);
  }

  /**
   * Publishes exactly once, and resolves with the position when the server has accepted the
   * publication. Without a connection it waits for one, and after a cut it is sent again until it
   * is answered. Publications to one topic keep their order. To remove a key:
   * `publish(topic, undefined, { key, remove: true })`.
   *
   * Rejects with a `LiveError` if the server refuses for good, or `limit-exceeded` if too much
   * waits, or with a `LiveClientError`: `not-sent` after `ttlMs`, `closed`, or `unknown-outcome` if
   * it was sent and no answer came in the five minutes that the server remembers it.
   */
  async publish<
    T extends TopicOf<TopicMap>,
    const Options extends
      ClientPublishOptionsOf<EntryOf<TopicMap, T>> | RemoveOptionsOf<EntryOf<TopicMap, T>> =
      ClientPublishOptionsOf<EntryOf<TopicMap, T>>,
  >(
    topic: T,
    // One signature, because the compiler's messages about overloads hide what is wrong.
    data: Options extends RemoveOptions ? undefined : ClientDataOf<EntryOf<TopicMap, T>>,
    ...[options]: PublishParameters<EntryOf<TopicMap, T>, Options>
  ): Promise<Position> {
    const given: QueuedPublishOptions & { key?: string; remove?: true } = { ...(options as object) };
    const { key, remove, ttlMs, idempotencyKey } = given;
    this.check(topic);
    this.start();
    const { epoch, offset } = (await this.#requests.publish(
      { type: 'publish', topic, data, key, remove } as PublishRequest,
      { idempotencyKey, ttlMs },
    )) as PublishedMessage;
    return { epoch, offset };
  }

  /**
   * Sends `{ type, data }` to a handler of `@LiveHandlers()` and resolves with the value that it
   * returns. If it returns a message with its own type, resolves with the whole message. A handler
   * that returns nothing never answers. The request waits for a connection and is never sent twice.
   *
   * Rejects with a `LiveError` if the server refuses or the handler throws: `not-implemented` if
   * nothing handles the type. Rejects with a `LiveClientError`: `not-sent`, `closed`, or
   * `unknown-outcome` if it was sent, and the connection ended or `timeoutMs` passed.
   * @throws TypeError for one of the protocol's own types; RangeError for a `timeoutMs` not above 0
   */
  async request<T extends TopicOf<RequestMap>>(
    type: T,
    ...[data, { timeoutMs } = {}]: RequestParameters<EntryOf<RequestMap, T>, RequestOptions>
  ): Promise<AnswerOf<EntryOf<RequestMap, T>>> {
    this.checkOpen();
    if (/^((un)?subscribe|publish|auth|ping)$/.test(type))
      throw new TypeError(`The protocol has ${type} itself`);
    if (timeoutMs !== undefined && !(timeoutMs > 0)) throw new RangeError('`timeoutMs` is above 0');
    this.start();
    const answer = await this.#requests.send({ type, data }, timeoutMs);
    return (answer.type === (type as string) ? (answer as { data?: unknown }).data : answer) as AnswerOf<
      EntryOf<RequestMap, T>
    >;
  }
}

/**
 * Connects to a live server, for instance `wss://example.org/live`. Safe at module scope, even in
 * code that also renders pages on a server: there it connects at its first use.
 */
export function connect<
  TopicMap extends object = Record<string, unknown>,
  RequestMap extends object = Record<string, unknown>,
>(url: string | URL, options?: LiveClientOptions): LiveClient<TopicMap, RequestMap> {
  return new LiveClient<TopicMap, RequestMap>(url, options);
}

import type { PublishedMessage } from '../protocol/messages.js';
import { isPosition, type Position } from '../protocol/position.js';
import { isClientTopic } from '../protocol/topic-name.js';
import type {
  AnswerOf,
  ClientDataOf,
  PublishParameters,
  RequestParameters,
  TopicOf,
} from '../protocol/topic-types.js';
import { defaultBackoff } from './backoff.js';
import { Credentials } from './credentials.js';
import { Listeners } from './listeners.js';
import { LiveClientError } from './live-client.error.js';
import type { LiveClientEvents } from './live-client.events.js';
import type {
  IterateOptions,
  LiveClientOptions,
  ClientPublishOptionsOf,
  RemoveOptions,
  RemoveOptionsOf,
  RequestOptions,
  SubscribeOptions,
} from './live-client.options.js';
import { LocalSubscription } from './local-subscription.js';
import { defaultPlatform } from './platform.js';
import { ClientSession } from './client-session.js';
import type { LiveClientState, LiveStatus } from './status.js';
import { type IterableSubscription, iterable, listening, type Subscription } from './subscription.js';
import type { EndMessage, MessageOf, TopicMessage } from './topic-messages.js';
import { openWire, type WebSocketConstructor, webSocketOf } from './wire.js';

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
> {
  readonly #listeners = new Listeners<LiveClientEvents>();
  readonly #session: ClientSession;
  readonly #webSocket: WebSocketConstructor | undefined;
  #started = false;
  #status: LiveStatus = { state: 'connecting', attempt: 0 };

  constructor(url: string | URL, options: LiveClientOptions = {}) {
    this.#webSocket = options.webSocket;
    const platform = options.platform ?? defaultPlatform();
    this.#session = new ClientSession({
      platform,
      credentials: new Credentials(options.credential, platform),
      backoff: { ...defaultBackoff, ...options.backoff },
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
      open: (token, events) => openWire(webSocketOf(options.webSocket), String(url), token, events),
      status: (status) => {
        this.#status = status;
        this.#listeners.emit('status', status);
      },
      report: (error) => this.#listeners.emit('error', error),
      waiting: (waiting) => this.#listeners.emit('waiting', waiting),
    });
    if (platform.dialsOnUse !== true) this.#start();
  }

  /** The state alone, without its details. */
  get state(): LiveClientState {
    return this.#status.state;
  }

  /** The state with its details: the welcome, the next attempt, or the reason. */
  get status(): LiveStatus {
    return this.#status;
  }

  /**
   * Listens until the returned function is called. Listening for `status` counts as use and
   * connects.
   */
  on<E extends keyof LiveClientEvents>(event: E, listener: (value: LiveClientEvents[E]) => void): () => void {
    if (event === 'status' && this.state !== 'closed') this.#start();
    return this.#listeners.on(event, listener);
  }

  /**
   * Calls `listener` with every message of the topic until `unsubscribe()` or an `end` message,
   * across reconnects. Several subscriptions to one topic share one on the server; each begins with
   * its own `start`.
   * @throws TypeError for an invalid topic name or `since`
   * @throws RangeError for an invalid `maxRate`
   * @throws LiveClientError `closed`
   */
  subscribe<T extends TopicOf<TopicMap>>(
    topic: T,
    listener: (message: MessageOf<TopicMap[T]> | EndMessage) => void,
    options?: SubscribeOptions,
  ): Subscription;
  /** The same for `for await`. Unread messages are queued, up to a limit. */
  subscribe<T extends TopicOf<TopicMap>>(
    topic: T,
    options?: IterateOptions,
  ): IterableSubscription<MessageOf<TopicMap[T]>>;
  subscribe(
    topic: string,
    first?: ((message: never) => void) | IterateOptions,
    second?: SubscribeOptions,
  ): Subscription | IterableSubscription<TopicMessage> {
    const listener = typeof first === 'function' ? (first as (message: unknown) => void) : undefined;
    const options: IterateOptions = (typeof first === 'function' ? second : first) ?? {};
    this.#check(topic, options.since);
    this.#start();
    const { topics } = this.#session;
    const control = {
      unsubscribe: () => {
        local.stop();
        topics.remove(local);
      },
      setMaxRate: (maxRate: number | undefined) => {
        local.maxRate = rateOf(maxRate);
        topics.paced(local);
      },
    };
    const { sink, subscription } =
      listener === undefined
        ? iterable(topic, control, options.maxQueued ?? 1_000)
        : listening(topic, control, (it) => this.#listeners.run(() => listener(it)), options.onLinked);
    const local = new LocalSubscription(topic, options.since, sink, rateOf(options.maxRate));
    topics.add(local);
    return subscription;
  }

  /**
   * Publishes once, and resolves with the position when the server has accepted the publication.
   * Without a connection it waits for one. It is never sent twice. To remove a key:
   * `publish(topic, undefined, { key, remove: true })`.
   *
   * Rejects with a `LiveError` if the server refuses, or with a `LiveClientError`: `not-sent`,
   * `closed`, or `unknown-outcome` if the connection ended or the answer timed out after it was
   * sent.
   */
  async publish<
    T extends TopicOf<TopicMap>,
    const Options extends ClientPublishOptionsOf<TopicMap[T]> | RemoveOptionsOf<TopicMap[T]> =
      ClientPublishOptionsOf<TopicMap[T]>,
  >(
    topic: T,
    // One signature, because the compiler's messages about overloads hide what is wrong.
    data: Options extends RemoveOptions ? undefined : ClientDataOf<TopicMap[T]>,
    ...[options]: PublishParameters<TopicMap[T], Options>
  ): Promise<Position> {
    const { key, remove }: { key?: string | undefined; remove?: true } = options ?? {};
    this.#check(topic);
    this.#start();
    const { epoch, offset } = (await this.#session.requests.send({
      type: 'publish',
      topic,
      data,
      ...(key !== undefined && { key }),
      ...(remove && { remove }),
    } as { type: string })) as PublishedMessage;
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
    ...[data, { timeoutMs } = {}]: RequestParameters<RequestMap[T], RequestOptions>
  ): Promise<AnswerOf<RequestMap[T]>> {
    this.#checkOpen();
    if (/^((un)?subscribe|publish|auth|ping)$/.test(type))
      throw new TypeError(`The protocol has ${type} itself`);
    if (timeoutMs !== undefined && !(timeoutMs > 0)) throw new RangeError('`timeoutMs` is above 0');
    this.#start();
    const answer = await this.#session.requests.send({ type, data } as { type: string }, timeoutMs);
    return (answer.type === (type as string) ? (answer as { data?: unknown }).data : answer) as AnswerOf<
      RequestMap[T]
    >;
  }

  /**
   * Drops the current connection or the current wait, and reconnects at once. Subscriptions resume
   * from their positions. A publication without an answer yet rejects with `unknown-outcome`. Does
   * nothing during a handshake or after `close()`.
   */
  reconnect(): void {
    if (this.#started) this.#session.reconnect();
    else if (this.state !== 'closed') this.#start();
  }

  /**
   * Closes the client for good: subscriptions end, iterators finish, and pending publications
   * reject. Calling it again does nothing.
   */
  close(): void {
    this.#session.close();
  }

  #start(): void {
    if (this.#started) return;
    webSocketOf(this.#webSocket);
    this.#started = true;
    this.#session.start();
  }

  #checkOpen(): void {
    if (this.state === 'closed') throw new LiveClientError('closed', 'The client is closed');
  }

  #check(topic: string, since?: Position): void {
    this.#checkOpen();
    if (!isClientTopic(topic)) {
      throw new TypeError(
        'A topic is 1 to 128 characters: A-Za-z0-9_.~- in segments joined by /, not . or .., or $user',
      );
    }
    if (since !== undefined && !isPosition(since)) throw new TypeError('`since` must be { epoch, offset }');
  }
}

/** No limit by default. */
function rateOf(maxRate = Infinity): number {
  if (maxRate === Infinity || (maxRate >= 0.01 && maxRate <= 1_000)) return maxRate;
  throw new RangeError('`maxRate` must be 0.01 to 1000 publications per second');
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

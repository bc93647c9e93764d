import { isPosition, type Position } from '../protocol/position.js';
import { isTopicName } from '../protocol/topic-name.js';
import { defaultBackoff } from './backoff.js';
import { Credentials } from './credentials.js';
import { Listeners } from './listeners.js';
import { LiveClientError } from './live-client.error.js';
import type {
  IterateOptions,
  LiveClientOptions,
  ClientPublishOptions,
  RemoveOptions,
  SubscribeOptions,
} from './live-client.options.js';
import { LocalSubscription } from './local-subscription.js';
import { type Cancel, defaultPlatform } from './platform.js';
import { ClientSession } from './client-session.js';
import type { LiveClientState, LiveStatus, LiveWaiting } from './status.js';
import { type IterableSubscription, iterable, listening, type Subscription } from './subscription.js';
import type { DataOf, EndMessage, SnapshotOf, TopicMessage } from './topic-messages.js';
import { openWire, type WebSocketConstructor, webSocketOf } from './wire.js';

/** What `on` listens to. */
export interface LiveClientEvents {
  /** Every change of state, in order. */
  readonly status: LiveStatus;
  /** Each time that a subscription could not start, or go on, and is tried again by itself. */
  readonly waiting: LiveWaiting;
  /**
   * What went wrong without ending anything: a listener that threw, a credential that could not be had, a
   * subscription that could not start at the first try, an error of the server that answers nothing. Without a listener, what a listener threw is an uncaught error; the rest is passed over.
   */
  readonly error: unknown;
}

/** Names of topics, with the types of what is published to them. */
type TopicOf<Topics extends object> = keyof Topics & string;

/**
 * A live connection that comes back by itself, and everything that is subscribed to over it. In a page it connects at
 * once; in Node and other runtimes without a page, at its first use: `subscribe`, `publish`,
 * `on('status')` or `reconnect`.
 * @throws Error where the runtime has no WebSocket and none was passed, at the moment when it would connect
 * @throws LiveError where the credential cannot travel in the subprotocol list
 */
export class LiveClient<TopicMap extends object = Record<string, unknown>> {
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

  get state(): LiveClientState {
    return this.#status.state;
  }

  /** The state with what belongs to it: the welcome, the next try, the reason. */
  get status(): LiveStatus {
    return this.#status;
  }

  /** Listens until the returned function is called. To listen for `status` is a use: it dials where nothing has yet. */
  on<E extends keyof LiveClientEvents>(event: E, listener: (value: LiveClientEvents[E]) => void): Cancel {
    if (event === 'status' && this.state !== 'closed') this.#start();
    return this.#listeners.on(event, listener);
  }

  /**
   * Calls `listener` with every message of the topic until `unsubscribe()`, or `end`. Connections come and go meanwhile.
   * Several subscriptions to one topic share one on the server; each begins with its own `start`.
   * @throws TypeError for a name that no topic can have; RangeError for a `maxRate` that is none
   * @throws LiveClientError `closed`
   */
  subscribe<T extends TopicOf<TopicMap>>(
    topic: T,
    listener: (message: TopicMessage<DataOf<TopicMap[T]>, SnapshotOf<TopicMap[T]>> | EndMessage) => void,
    options?: SubscribeOptions,
  ): Subscription;
  /** The same for `for await`; messages that come before they are read are kept, up to a limit. */
  subscribe<T extends TopicOf<TopicMap>>(
    topic: T,
    options?: IterateOptions,
  ): IterableSubscription<TopicMessage<DataOf<TopicMap[T]>, SnapshotOf<TopicMap[T]>>>;
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
        : listening(topic, control, (message) => this.#listeners.run(() => listener(message)));
    const local = new LocalSubscription(topic, options.since, sink, rateOf(options.maxRate));
    topics.add(local);
    return subscription;
  }

  /**
   * Publishes once, and resolves with the position as soon as the server has accepted it. Without a connection it waits
   * for one. It is never sent twice. To take a key away: `publish(topic, undefined, { key, remove: true })`.
   *
   * Rejects with a `LiveError` where the server refuses, and with a `LiveClientError`: `not-sent`, `closed`, or
   * `unknown-outcome` where the connection ended, or no answer came, after it was sent.
   */
  publish<T extends TopicOf<TopicMap>>(
    topic: T,
    data: DataOf<TopicMap[T]>,
    options?: ClientPublishOptions,
  ): Promise<Position>;
  publish(topic: TopicOf<TopicMap>, data: undefined, options: RemoveOptions): Promise<Position>;
  async publish(
    topic: TopicOf<TopicMap>,
    data: unknown,
    { key, remove }: ClientPublishOptions & Partial<RemoveOptions> = {},
  ): Promise<Position> {
    this.#check(topic);
    this.#start();
    return this.#session.publisher.publish({
      type: 'publish',
      topic,
      data,
      ...(key !== undefined && { key }),
      ...(remove && { remove }),
    });
  }

  /**
   * Leaves the connection, if there is one, and dials again at once; subscriptions go on by their positions. A publication
   * whose answer is awaited rejects with `unknown-outcome`. Does nothing while a handshake is under way, or once closed.
   */
  reconnect(): void {
    if (this.#started) this.#session.reconnect();
    else if (this.state !== 'closed') this.#start();
  }

  /** Ends everything for good: subscriptions end, iterators finish, what is pending rejects. Calling it again does nothing. */
  close(): void {
    this.#session.close();
  }

  #start(): void {
    if (this.#started) return;
    webSocketOf(this.#webSocket);
    this.#started = true;
    this.#session.start();
  }

  #check(topic: string, since?: Position): void {
    if (this.state === 'closed') throw new LiveClientError('closed', 'The client is closed');
    if (!isTopicName(topic)) {
      throw new TypeError(
        'A topic is 1 to 128 characters: segments of A-Z a-z 0-9 _ . ~ - joined by "/", none of them . or ..',
      );
    }
    if (since !== undefined && !isPosition(since)) throw new TypeError('`since` is { epoch, offset }');
  }
}

/** As many as there are, where nothing is said. */
function rateOf(maxRate = Infinity): number {
  if (maxRate === Infinity || (maxRate >= 0.01 && maxRate <= 1_000)) return maxRate;
  throw new RangeError('`maxRate` is 0.01 to 1000 publications per second');
}

/**
 * Connects to a live server, for instance `wss://example.org/live`. Safe at module scope, also where pages are rendered on
 * a server: there it dials at its first use.
 */
export function connect<TopicMap extends object = Record<string, unknown>>(
  url: string | URL,
  options?: LiveClientOptions,
): LiveClient<TopicMap> {
  return new LiveClient<TopicMap>(url, options);
}

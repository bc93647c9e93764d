import { isPosition, type Position } from '../protocol/position.js';
import { isClientTopic } from '../protocol/topic-name.js';
import type { EntryOf, TopicOf } from '../protocol/topic-types.js';
import { defaultBackoff } from './backoff.js';
import { ClientSession } from './client-session.js';
import { Credentials } from './credentials.js';
import { Listeners } from './listeners.js';
import { LiveClientError } from './live-client.error.js';
import type { LiveClientEvents } from './live-client.events.js';
import type { LiveReaderOptions, SubscribeOptions } from './live-client.options.js';
import { LocalSubscription, type Sink } from './local-subscription.js';
import { defaultPlatform } from './platform.js';
import type { LiveClientState, LiveStatus } from './status.js';
import type { Subscription } from './subscription.js';
import type { EndMessage, MessageOf, TopicMessage } from './topic-messages.js';
import { openWire, type WebSocketConstructor, webSocketOf } from './wire.js';

/**
 * The part of `LiveClient` that subscribes. A page that neither publishes nor sends requests loads
 * less of it.
 * @throws Error if the runtime has no WebSocket and none was passed, when it would connect
 * @throws LiveError if the credential cannot be sent in the subprotocol list
 */
export class LiveReader<TopicMap extends object = Record<string, unknown>> {
  /** @internal */
  protected readonly session: ClientSession;
  readonly #listeners = new Listeners<LiveClientEvents>();
  readonly #webSocket: WebSocketConstructor | undefined;
  #started = false;

  constructor(url: string | URL, options: LiveReaderOptions = {}) {
    const { platform = defaultPlatform(), webSocket, credential, backoff } = options;
    const { connectTimeoutMs = 10_000, requestTimeoutMs = 10_000 } = options;
    this.#webSocket = webSocket;
    this.session = new ClientSession({
      platform,
      credentials: new Credentials(credential, platform),
      backoff: { ...defaultBackoff, ...backoff },
      connectTimeoutMs,
      requestTimeoutMs,
      open: (token, events) => openWire(webSocketOf(webSocket), String(url), token, events),
      emit: (event, value) => this.#listeners.emit(event, value),
    });
    if (!platform.dialsOnUse) this.start();
  }

  /** The state alone, without its details. */
  get state(): LiveClientState {
    return this.status.state;
  }

  /** The state with its details: the welcome, the next attempt, or the reason. */
  get status(): LiveStatus {
    return this.session.link.status;
  }

  /**
   * Listens until the returned function is called. Listening for `status` counts as use and
   * connects.
   */
  on<E extends keyof LiveClientEvents>(event: E, listener: (value: LiveClientEvents[E]) => void): () => void {
    if (event === 'status') this.start();
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
    listener: (message: MessageOf<EntryOf<TopicMap, T>> | EndMessage) => void,
    options?: SubscribeOptions,
  ): Subscription {
    const tell = (it: TopicMessage | EndMessage): void =>
      this.#listeners.run(() => (listener as (message: unknown) => void)(it));
    return this.subscribing(topic, options, {
      message: tell,
      linked: options?.onLinked,
      end: (error) => tell({ type: 'end', topic, ...(error && { error }) }),
    });
  }

  /**
   * Drops the current connection or the current wait, and reconnects at once. Subscriptions resume
   * from their positions, and publications without an answer are sent again. Does nothing during
   * a handshake or after `close()`.
   */
  reconnect(): void {
    this.start();
    this.session.link.reconnect();
  }

  /**
   * Closes the client for good: subscriptions end, iterators finish, and pending publications
   * reject. Calling it again does nothing.
   */
  close(): void {
    this.session.link.close();
  }

  /** @internal */
  protected start(): void {
    if (this.#started || this.state === 'closed') return;
    webSocketOf(this.#webSocket);
    this.#started = true;
    this.session.link.start();
  }

  /** @internal */
  protected checkOpen(): void {
    if (this.state === 'closed') throw new LiveClientError('closed', 'The client is closed');
  }

  /** @internal */
  protected check(topic: string, since?: Position): void {
    this.checkOpen();
    if (!isClientTopic(topic)) {
      throw new TypeError(
        'A topic is 1 to 128 characters: A-Za-z0-9_.~- in segments joined by /, not . or .., or $user',
      );
    }
    if (since !== undefined && !isPosition(since)) throw new TypeError('`since` must be { epoch, offset }');
  }

  /** @internal */
  protected subscribing(topic: string, options: SubscribeOptions = {}, sink: Sink): Subscription {
    const { since, maxRate } = options;
    this.check(topic, since);
    const local = new LocalSubscription(topic, since, sink, rateOf(maxRate));
    this.start();
    const { topics } = this.session;
    topics.add(local);
    return {
      topic,
      unsubscribe() {
        local.stop();
        topics.remove(local);
      },
      setMaxRate(rate) {
        local.maxRate = rateOf(rate);
        topics.paced(local);
      },
    };
  }
}

/** No limit by default. */
function rateOf(maxRate = Infinity): number {
  if (maxRate === Infinity || (maxRate >= 0.01 && maxRate <= 1_000)) return maxRate;
  throw new RangeError('`maxRate` must be 0.01 to 1000 publications per second');
}

/**
 * Connects to a live server to read topics. As `connect`, with less code in the page, and without
 * publications, requests and iteration.
 */
export function connectReader<TopicMap extends object = Record<string, unknown>>(
  url: string | URL,
  options?: LiveReaderOptions,
): LiveReader<TopicMap> {
  return new LiveReader<TopicMap>(url, options);
}

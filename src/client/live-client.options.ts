import type { Position } from '../protocol/position.js';
import type { PublishedKeyOf } from '../protocol/topic-types.js';
import type { Backoff } from './backoff.js';
import type { Credential } from './credentials.js';
import type { PublishQueueOptions, QueuedPublishOptions } from './publish-queue.options.js';
import type { Platform } from './platform.js';
import type { WebSocketConstructor } from './wire.js';

/** Options of `connectReader`. */
export interface LiveReaderOptions {
  /**
   * A token, or a function that returns one and may be async. It is sent in the subprotocol list,
   * never in the URL. The function is called again after a failed handshake, after close code 4501,
   * and before the credential expires. It may throw: a `LiveError` with the code `forbidden` closes
   * the client, any other error is retried with back-off.
   * @default none: a cookie may authenticate the client
   */
  readonly credential?: Credential | undefined;
  /**
   * The WebSocket constructor. Node 20 has no built-in one.
   * @default globalThis.WebSocket
   */
  readonly webSocket?: WebSocketConstructor | undefined;
  /**
   * Delay between attempts: `minMs` plus a random part of `min(maxMs, minMs · 2^attempts)`.
   * @default `{ minMs: 500, maxMs: 20_000 }`
   */
  readonly backoff?: Partial<Backoff> | undefined;
  /**
   * Time limit from the start of a handshake to the server's welcome, in milliseconds.
   * @default 10_000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Time limit of a request, in milliseconds. For `publish`, see `queue` of `connect`.
   * @default 10_000
   */
  readonly requestTimeoutMs?: number | undefined;
  /** Clock, randomness and events of the platform. @internal */
  readonly platform?: Platform | undefined;
}

/** Options of `connect`. */
export interface LiveClientOptions extends LiveReaderOptions {
  /** How publications wait for a connection and for their answers. */
  readonly queue?: PublishQueueOptions | undefined;
}

/** Options of `LiveClient.subscribe`. */
export interface SubscribeOptions {
  /**
   * Resumes from this position of an earlier message. If the server cannot, the first message is
   * `lost`.
   * @default none: starts now, with a snapshot if the topic has one
   */
  readonly since?: Position | undefined;
  /**
   * Maximum number of publications per second, 0.01 to 1000. The newest of each key is delivered;
   * its `from` says which ones it covers. The server may round it down. Several subscriptions to
   * one topic share the highest rate among them.
   * @default no limit
   */
  readonly maxRate?: number | undefined;
  /** Called when the server begins or ceases to deliver to this listener. @internal */
  readonly onLinked?: ((linked: boolean) => void) | undefined;
}

/** Options of `LiveClient.subscribe` without a listener. */
export interface IterateOptions extends SubscribeOptions {
  /**
   * Maximum number of queued messages. Beyond it the oldest publications are dropped and replaced
   * by a `lost` message that names them.
   * @default 1_000
   */
  readonly maxQueued?: number | undefined;
}

/** Of `request`. */
export interface RequestOptions {
  /**
   * Milliseconds to wait for a connection and the answer together.
   * @default `requestTimeoutMs` of the client: 10_000
   */
  readonly timeoutMs?: number | undefined;
}

/** Removes a key. The publication has no data. */
export interface RemoveOptions extends QueuedPublishOptions {
  /** 1 to 128 characters. */
  readonly key: string;
  /** Says that the key is removed. */
  readonly remove: true;
}

/** Options of `LiveClient.publish`. */
export interface ClientPublishOptions extends QueuedPublishOptions {
  /**
   * Subject of the publication, 1 to 128 characters. A slow reader may get only the newest per key.
   */
  readonly key?: string | undefined;
  /** Absent, unlike in a removal. */
  readonly remove?: never;
}

/** `RemoveOptions`, by the topic's entry in the topic map. */
export interface RemoveOptionsOf<Entry> extends RemoveOptions {
  /** One of the topic's keys. */
  readonly key: PublishedKeyOf<Entry> & string;
}
/** `ClientPublishOptions`, by the topic's entry in the topic map. */
export interface ClientPublishOptionsOf<Entry> extends ClientPublishOptions {
  /** One of the topic's keys. */
  readonly key?: (PublishedKeyOf<Entry> & string) | undefined;
}

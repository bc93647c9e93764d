import type { Position } from '../protocol/position.js';
import type { Backoff } from './backoff.js';
import type { Credential } from './credentials.js';
import type { Platform } from './platform.js';
import type { WebSocketConstructor } from './wire.js';

export interface LiveClientOptions {
  /**
   * A token, or a function that gets one (it may be async). It travels in the subprotocol list, never in the URL. A
   * function is asked again when a handshake failed, after the close code 4501, and before the credential ends; it may
   * throw: a `LiveError` with the code `forbidden` closes the client, anything else is tried again with back-off.
   * @default none: a cookie may do
   */
  readonly credential?: Credential | undefined;
  /**
   * The WebSocket to use; Node 20 has none of its own.
   * @default globalThis.WebSocket
   */
  readonly webSocket?: WebSocketConstructor | undefined;
  /**
   * Waits between tries: `minMs` plus a random part of `min(maxMs, minMs · 2^tries)`.
   * @default { minMs: 500, maxMs: 20_000 }
   */
  readonly backoff?: Partial<Backoff> | undefined;
  /**
   * Milliseconds from the start of a handshake to the server's welcome.
   * @default 10_000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Milliseconds that an answer may take; for `publish` it includes the wait for a connection.
   * @default 10_000
   */
  readonly requestTimeoutMs?: number | undefined;
  /** Time, chance and the events of the platform. @internal */
  readonly platform?: Platform | undefined;
}

export interface SubscribeOptions {
  /**
   * Goes on from this position, of a message that was kept. Where the server cannot, the first message is `lost`.
   * @default none: from now on, with a snapshot where the topic has one
   */
  readonly since?: Position | undefined;
  /**
   * Publications per second at most, 0.01 to 1000: of each key the newest, which says by `from` which ones it stands for.
   * The server may round it down. Several subscriptions to one topic get what the fastest of them asks for.
   * @default as many as there are
   */
  readonly maxRate?: number | undefined;
}

export interface IterateOptions extends SubscribeOptions {
  /**
   * Messages that are kept for the iterator; when there are more, the oldest publications are dropped, and a `lost`
   * message in their place says which.
   * @default 1_000
   */
  readonly maxQueued?: number | undefined;
}

/** Takes a key away: there is no data then. */
export interface RemoveOptions {
  /** 1 to 128 characters. */
  readonly key: string;
  readonly remove: true;
}

export interface ClientPublishOptions {
  /** What the publication is about, 1 to 128 characters: of two with the same key, a slow reader may get the newer only. */
  readonly key?: string | undefined;
}

import type { ErrorCode } from './codes.js';
import type { Position } from './position.js';
import type { RequestId } from './client-messages.js';

/** Limits of this connection, for both sides. Older servers omit some. [L-9.3] */
export interface WelcomeLimits {
  /** Maximum size of a message to the server, in bytes. */
  readonly maxMessageBytes: number;
  /** Maximum number of topics that the connection may subscribe to. */
  readonly maxTopics: number;
  /**
   * Maximum number of topics in one message. Absent if the server does not support `topics`.
   * [L-3.14]
   */
  readonly maxTopicsPerMessage?: number;
  /** Silence of the client after which the server pings it, in milliseconds. */
  readonly pingIntervalMs: number;
  /** Milliseconds for the pong, after which the server closes the connection. */
  readonly pongTimeoutMs?: number;
  /** Time limit of the server for authorization plus snapshot. An answer may take this long. */
  readonly answerTimeoutMs?: number;
  /**
   * Milliseconds that the server remembers the idempotency key of a publish. Absent if it knows no
   * keys. [L-4.15]
   */
  readonly idempotencyMs?: number;
}

/** The first message of a connection. [L-1.11] */
export interface WelcomeMessage {
  /** Tells the kind of message. */
  readonly type: 'welcome';
  /** Id of the connection, as in the server's log: a UUID. */
  readonly connectionId: string;
  /** Name of the server's instance. */
  readonly instanceId: string;
  /** The user as the server knows it; `null` for an anonymous client. */
  readonly user: {
    /** The user's id. */
    readonly id: string;
  } | null;
  /** Milliseconds since 1970, on the server's clock. */
  readonly expiresAt?: number;
  /** Milliseconds from now until `expiresAt`. Independent of the client's clock. */
  readonly expiresInMs?: number;
  /**
   * Window in milliseconds over which clients disconnected at once spread their reconnects.
   * [L-10.5]
   */
  readonly reconnectSpreadMs?: number;
  /** Limits of this connection. */
  readonly limits: WelcomeLimits;
}

/** How many keys a topic keeps, and for how long. [L-6.11] */
export interface EntryLimits {
  readonly maxKeys: number;
  /** Bytes of the JSON text of their data together. */
  readonly maxBytes: number;
  /** Milliseconds after which a key that is not published again leaves. Absent: never. */
  readonly maxKeyAgeMs?: number;
}

/** A key, its last data, and the milliseconds since that was published, if keys age. [L-6.11] */
export type Entry<Value = unknown> = readonly [key: string, data: Value, ageMs?: number];

export interface SubscribedMessage extends Position {
  readonly type: 'subscribed';
  readonly id?: RequestId;
  readonly topic: string;
  readonly recovered: boolean;
  readonly snapshot?: unknown;
  /** The snapshot follows in pages. [L-6.10] */
  readonly pages?: true | undefined;
  /** The snapshot is a list of entries, the one published last at the end. [L-6.11] */
  readonly entries?: EntryLimits;
}

/** A part of a snapshot. [L-6.10] */
export interface PageMessage {
  readonly type: 'page';
  readonly topic: string;
  /** Some of the fields of an object, or of the elements of an array. */
  readonly snapshot: unknown;
  readonly last?: true;
}

export interface EventMessage {
  readonly type: 'event';
  readonly topic: string;
  readonly offset: number;
  /** First offset that this frame covers, if it covers `from`…`offset` (conflated). */
  readonly from?: number;
  /** Absent in a removal. */
  readonly data?: unknown;
  readonly key?: string;
  /** The key was removed. [L-4.11] */
  readonly removed?: true;
}

export interface LostMessage {
  readonly type: 'lost';
  readonly topic: string;
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface UnsubscribedMessage {
  readonly type: 'unsubscribed';
  readonly id?: RequestId;
  readonly topic: string;
  readonly code?: ErrorCode;
  readonly reason?: string;
  /** Milliseconds after which the client may subscribe again, if `code` is temporary. */
  readonly retryAfterMs?: number;
}

export interface PublishedMessage extends Position {
  readonly type: 'published';
  readonly id?: RequestId;
  readonly topic: string;
}

export interface PongMessage {
  readonly type: 'pong';
  readonly id?: RequestId;
}

/** Answer to `auth`: the connection continues with the new credential. */
export interface AuthenticatedMessage {
  readonly type: 'authenticated';
  readonly id?: RequestId;
  /** Expiry of the new credential, in milliseconds since 1970. Absent if it never expires. */
  readonly expiresAt?: number;
  /** Milliseconds from now until `expiresAt`. */
  readonly expiresInMs?: number;
}

/** Announces a message of this many bytes, which delays everything behind it. [L-8.5] */
export interface IncomingMessage {
  readonly type: 'incoming';
  readonly bytes: number;
}

/** The server stops and has reserved a slot for this client to leave in. [L-10.6] */
export interface DrainingMessage {
  readonly type: 'draining';
  /** Milliseconds until the slot begins. */
  readonly reconnectAfterMs: number;
  /** Length of the slot in milliseconds. */
  readonly windowMs: number;
}

export interface ErrorMessage {
  readonly type: 'error';
  readonly id?: RequestId;
  readonly code: ErrorCode;
  readonly message: string;
  readonly topic?: string;
  readonly retryAfterMs?: number;
}

export type ServerMessage =
  | WelcomeMessage
  | SubscribedMessage
  | PageMessage
  | EventMessage
  | LostMessage
  | UnsubscribedMessage
  | PublishedMessage
  | PongMessage
  | AuthenticatedMessage
  | IncomingMessage
  | DrainingMessage
  | ErrorMessage;

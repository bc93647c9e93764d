import type { ErrorCode } from './codes.js';
import type { Position } from './position.js';

/** Echoed in the answer: a number, or a string of at most 64 characters. [L-2.4] */
export type RequestId = number | string;

export const maxRequestIdLength = 64;

/** Any message from a client, once its envelope is right. Other fields are unchecked. [L-2.1] */
export interface InboundMessage {
  readonly type: string;
  readonly id?: RequestId;
  readonly [field: string]: unknown;
}

export interface SubscribeRequest {
  readonly type: 'subscribe';
  readonly id?: RequestId;
  readonly topic: string;
  /** Continue from here; see [L-5.2]. */
  readonly since?: Position;
  /** Most publications per second of this topic; see [L-4.8]. */
  readonly maxRate?: number;
  /** Bytes of the largest message that the client takes of this topic; see [L-9.20]. */
  readonly maxMessageBytes?: number;
}

export interface UnsubscribeRequest {
  readonly type: 'unsubscribe';
  readonly id?: RequestId;
  readonly topic: string;
}

/** One topic of a `SubscribeManyRequest`. */
export type TopicRequest = Pick<SubscribeRequest, 'topic' | 'since' | 'maxRate' | 'maxMessageBytes'>;

/** Subscribes to several topics; each is answered by itself, with this `id` and its `topic`. [L-3.14] */
export interface SubscribeManyRequest {
  readonly type: 'subscribe';
  readonly id?: RequestId;
  readonly topics: readonly TopicRequest[];
}

/** Unsubscribes from several topics; each is answered by itself, with this `id` and its `topic`. [L-3.14] */
export interface UnsubscribeManyRequest {
  readonly type: 'unsubscribe';
  readonly id?: RequestId;
  readonly topics: readonly string[];
}

export interface PublishRequest {
  readonly type: 'publish';
  readonly id?: RequestId;
  readonly topic: string;
  /** Absent in a removal. */
  readonly data?: unknown;
  readonly key?: string;
  /** Takes the key away. [L-4.12] */
  readonly remove?: true;
}

export interface PingRequest {
  readonly type: 'ping';
  readonly id?: RequestId;
}

/** A new credential for the open connection. */
export interface AuthRequest {
  readonly type: 'auth';
  readonly id?: RequestId;
  readonly token: string;
}

export type ClientMessage =
  | SubscribeRequest
  | SubscribeManyRequest
  | UnsubscribeRequest
  | UnsubscribeManyRequest
  | PublishRequest
  | PingRequest
  | AuthRequest;

/** Limits of this connection, the client's and the server's own. Older servers leave some out. [L-9.3] */
export interface WelcomeLimits {
  readonly maxMessageBytes: number;
  readonly maxTopics: number;
  /** Topics that one message may name; absent where the server knows no `topics`. [L-3.14] */
  readonly maxTopicsPerMessage?: number;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs?: number;
  /** Time that the server gives a right and a snapshot together: its answer may take as long. */
  readonly answerTimeoutMs?: number;
}

export interface WelcomeMessage {
  readonly type: 'welcome';
  readonly connectionId: string;
  readonly instanceId: string;
  readonly user: { readonly id: string } | null;
  /** Milliseconds since 1970, on the server's clock. */
  readonly expiresAt?: number;
  /** Milliseconds from now to `expiresAt`: right also where the client's clock is wrong. */
  readonly expiresInMs?: number;
  /** Milliseconds over which clients that are cut together spread their return. [L-10.5] */
  readonly reconnectSpreadMs?: number;
  readonly limits: WelcomeLimits;
}

export interface SubscribedMessage extends Position {
  readonly type: 'subscribed';
  readonly id?: RequestId;
  readonly topic: string;
  readonly recovered: boolean;
  readonly snapshot?: unknown;
}

export interface EventMessage {
  readonly type: 'event';
  readonly topic: string;
  readonly offset: number;
  /** First offset that this frame stands for, where it stands for `from`…`offset` (conflated). */
  readonly from?: number;
  /** Absent in a removal. */
  readonly data?: unknown;
  readonly key?: string;
  /** The key was taken away. [L-4.11] */
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
  /** Milliseconds after which the client may subscribe again, where `code` is a temporary one. */
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

/** The answer to `auth`: the connection goes on with the new credential. */
export interface AuthenticatedMessage {
  readonly type: 'authenticated';
  readonly id?: RequestId;
  /** The new credential's end, milliseconds since 1970; absent where it has none. */
  readonly expiresAt?: number;
  /** Milliseconds from now to `expiresAt`. */
  readonly expiresInMs?: number;
}

/** A message of so many bytes follows, and delays what comes behind it. [L-8.5] */
export interface IncomingMessage {
  readonly type: 'incoming';
  readonly bytes: number;
}

export interface DrainingMessage {
  readonly type: 'draining';
  readonly reconnectAfterMs: number;
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
  | EventMessage
  | LostMessage
  | UnsubscribedMessage
  | PublishedMessage
  | PongMessage
  | AuthenticatedMessage
  | IncomingMessage
  | DrainingMessage
  | ErrorMessage;

/** The one answer to what has no envelope. [L-2.2] */
export const invalidEnvelope = 'Invalid message envelope';

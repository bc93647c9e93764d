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
}

export interface UnsubscribeRequest {
  readonly type: 'unsubscribe';
  readonly id?: RequestId;
  readonly topic: string;
}

export interface PublishRequest {
  readonly type: 'publish';
  readonly id?: RequestId;
  readonly topic: string;
  readonly data: unknown;
  readonly key?: string;
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
  SubscribeRequest | UnsubscribeRequest | PublishRequest | PingRequest | AuthRequest;

/** Limits that the server holds this client to. [L-9.3] */
export interface WelcomeLimits {
  readonly maxMessageBytes: number;
  readonly maxTopics: number;
  readonly pingIntervalMs: number;
}

export interface WelcomeMessage {
  readonly type: 'welcome';
  readonly connectionId: string;
  readonly instanceId: string;
  readonly user: { readonly id: string } | null;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
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
  readonly data: unknown;
  readonly key?: string;
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
  | DrainingMessage
  | ErrorMessage;

/** The one answer to what has no envelope. [L-2.2] */
export const invalidEnvelope = 'Invalid message envelope';

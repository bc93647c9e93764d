import type { Position } from './position.js';

/** Echoed in the answer: a number, or a string of at most 64 characters. [L-2.4] */
export type RequestId = number | string;

/** Any message from a client whose envelope is valid. Its other fields are unchecked. [L-2.1] */
export interface InboundMessage {
  readonly type: string;
  readonly id?: RequestId;
  readonly [field: string]: unknown;
}

export interface SubscribeRequest {
  readonly type: 'subscribe';
  readonly id?: RequestId;
  readonly topic: string;
  /** Position to resume from. [L-5.2] */
  readonly since?: Position;
  /** Maximum number of publications per second for this topic. [L-4.8] */
  readonly maxRate?: number;
  /** Maximum size of a message of this topic that the client accepts, in bytes. [L-9.20] */
  readonly maxMessageBytes?: number;
  /** Takes a large snapshot in pages. [L-6.10] */
  readonly pages?: boolean;
  /** Takes the last data of each key as a list of entries. [L-6.11] */
  readonly entries?: boolean;
}

export interface UnsubscribeRequest {
  readonly type: 'unsubscribe';
  readonly id?: RequestId;
  readonly topic: string;
}

/** One topic of a `SubscribeManyRequest`. */
export type TopicRequest = Pick<
  SubscribeRequest,
  'topic' | 'since' | 'maxRate' | 'maxMessageBytes' | 'pages' | 'entries'
>;

/**
 * Subscribes to several topics. Each gets its own answer with this `id` and its `topic`. [L-3.14]
 */
export interface SubscribeManyRequest {
  readonly type: 'subscribe';
  readonly id?: RequestId;
  readonly topics: readonly TopicRequest[];
}

/**
 * Unsubscribes from several topics. Each gets its own answer with this `id` and its `topic`.
 * [L-3.14]
 */
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
  /** Removes the key. [L-4.12] */
  readonly remove?: true;
  /** Makes a repeated publish harmless. [L-4.15] */
  readonly idempotencyKey?: string;
  /** The `id` of an earlier publish that this one must not overtake. [L-4.16] */
  readonly after?: RequestId;
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

/** The error text for every message without a valid envelope. [L-2.2] */
export const invalidEnvelope = 'Invalid message envelope';

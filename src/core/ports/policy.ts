import type { LiveUser } from './identity.js';
import type { HistoryRules, LatestRule } from './broker.js';
import type { SchemaCheck } from './contract.js';

/**
 * What happens to publications that a subscriber reads too slowly [L-9.8]:
 * - `conflate`: only the newest of each key is kept, with the offsets it covers. Publications
 *   without a key count as one key.
 * - `skip`: the queue is dropped if it grows too large, and reported as lost when the peer reads
 *   again. A snapshot follows.
 * - `close`: the connection is closed with 1008, to start over.
 */
export type SlowPolicy = 'conflate' | 'skip' | 'close';

export const slowPolicies: readonly SlowPolicy[] = ['conflate', 'skip', 'close'];

/** How a topic delivers its publications. */
export interface DeliveryRules {
  /** What happens to publications that a subscriber reads too slowly. @default 'close' */
  readonly slow?: SlowPolicy;
  /**
   * Maximum publications per second to one subscriber, 0.01 to 1000. The newest of each key is
   * sent, with the offsets it covers. A client may request fewer. [L-4.8] @default no limit
   */
  readonly maxRate?: number;
  /**
   * Milliseconds to gather publications before one joint write, up to 10000. Bounds the number of
   * writes to a client. [L-4.9] @default the module's `flushMs`
   */
  readonly flushMs?: number;
}

export const flushMsAllowed = 'an integer from 0 to 10000';

export function isFlushMs(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 10_000;
}

/** What a topic exposes about its members. */
export interface PresenceRules {
  /** Fields of a user, besides the id, that every reader of the topic may see. @default none */
  fields?(user: LiveUser): object;
  /** Milliseconds to wait after a user's last connection closed before announcing the departure. */
  readonly graceMs: number;
}

/** Polls the state of a topic while anybody reads it. */
export interface PollRules {
  /** Milliseconds between the starts of two calls. */
  readonly everyMs: number;
  /** Whether the state is an object whose fields are the keys of the topic. */
  readonly byKey: boolean;
  /** The current state of the topic. */
  state(): unknown;
}

/** What happens while a topic has subscribers on any instance. */
export interface OccupancyRules {
  /** Called on one instance after the first subscriber has come. */
  occupied?(): unknown;
  /** Called on the same instance when the last one has left, or when the instance stops. */
  vacated?(): unknown;
  /** Milliseconds without subscribers before `vacated`. */
  readonly graceMs: number;
  /** Publishes what has changed of the topic's state. */
  readonly poll?: PollRules;
}

/** The application's rules for one topic, with its parameters bound. */
export interface TopicRules {
  /**
   * Only `true` allows. A throw or a timeout allows nothing but is temporary: the peer may retry.
   * [L-3.4]
   */
  canSubscribe(user: LiveUser | null): boolean | Promise<boolean>;
  /** Only `true` allows. */
  canPublish(user: LiveUser | null): boolean | Promise<boolean>;
  /** Returns the current state of the topic as a JSON value. Absent if the topic has none. */
  readonly snapshot?: () => unknown;
  /** Checks what the application publishes. Absent: any JSON value is right. [L-4.13] */
  readonly checkData?: SchemaCheck;
  /** Checks what a client publishes. Absent: any JSON value is right. [L-4.13] */
  readonly checkClientData?: SchemaCheck;
  /** Checks the keys of the application, also of removals. Answers at once. [L-4.17] */
  readonly checkKey?: SchemaCheck;
  /** Checks the keys of clients, also of removals. Answers at once. [L-4.17] */
  readonly checkClientKey?: SchemaCheck;
  /** Why nothing can be published to this topic: its parameters are wrong. [L-3.17] */
  readonly wrongParams?: string;
  /** Uses the last publications as the snapshot, instead of one by the application. */
  readonly latest?: LatestRule;
  /**
   * Milliseconds after which a key that is not published again leaves a `last-per-key` snapshot.
   * @default never
   */
  readonly maxKeyAgeMs?: number;
  /**
   * Maximum lead of a version over the local clock. Requires versions in milliseconds since 1970.
   * @default unchecked
   */
  readonly maxVersionAheadMs?: number;
  /** What is kept for clients that reconnect. Absent: nothing. */
  readonly history?: HistoryRules;
  /**
   * Maximum size of a publication's data as UTF-8 JSON text, in bytes. Absent: only the broker's
   * limit applies.
   */
  readonly maxPublicationBytes?: number;
  /** Delivery options. Absent: everything is sent at once, and a slow subscriber is closed. */
  readonly delivery?: DeliveryRules;
  /** If set, the topic's subscribers are tracked and announced on `<topic>/presence`. */
  readonly presence?: PresenceRules;
  /** If set, the cluster knows whether the topic has subscribers. */
  readonly occupancy?: OccupancyRules;
  /** The topic whose members this topic announces. Only the server publishes to it. */
  readonly tellsPresenceOf?: string;
}

/** Finds the rules of a topic. */
export interface Policy {
  /** Returns `undefined` for an undeclared topic. Must not throw. */
  rulesFor(topic: string): TopicRules | undefined;
  /**
   * Whether an error of a check is a denial, besides a `LiveError` with a permanent code. @default
   * never
   */
  isRefusal?(error: unknown): boolean;
  /** Checks what the application publishes to personal topics. */
  readonly checkPersonalData?: SchemaCheck | undefined;
}

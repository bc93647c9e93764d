import type { LiveUser } from './identity.js';
import type { HistoryRules, LatestRule } from './broker.js';

/**
 * What becomes of publications that a subscriber is too slow for [L-9.8]:
 * - `conflate`: of those that wait, the newest of each key is kept, and says which offsets it stands for; those without a
 *   key count as one
 * - `skip`: what waits is dropped when it is too much, and told as lost when the peer reads again; a snapshot follows
 * - `close`: the connection is closed with 1008, to start afresh
 */
export const slowPolicies = ['conflate', 'skip', 'close'] as const;

export type SlowPolicy = (typeof slowPolicies)[number];

/** How a topic's publications go out. */
export interface DeliveryRules {
  /** What becomes of publications that a subscriber is too slow for. @default 'close' */
  readonly slow?: SlowPolicy;
  /**
   * Publications per second that one subscriber gets at most, 0.01 to 1000: of each key the newest, which says which ones
   * it stands for. A client may ask for fewer. [L-4.8] @default no limit
   */
  readonly maxRate?: number;
  /**
   * Milliseconds that publications are gathered before they go out in one write, up to 10000: with it the writes to a
   * client do not grow with what is published. [L-4.9] @default the module's `flushMs`
   */
  readonly flushMs?: number;
}

export const flushMsAllowed = 'an integer from 0 to 10000';

export function isFlushMs(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 10_000;
}

/** What a topic says about its members. */
export interface PresenceRules {
  /** What everybody who may read the topic is shown of a user beside the id; nothing by default. */
  fields?(user: LiveUser): object;
  /** Milliseconds that a user whose last connection is gone is waited for. */
  readonly graceMs: number;
}

/** What the application says about one topic, its parameters already filled in. */
export interface TopicRules {
  /** Only `true` allows. A throw or a late answer allows nothing, and is no answer: the peer may ask again. [L-3.4] */
  canSubscribe(user: LiveUser | null): boolean | Promise<boolean>;
  /** Only `true` allows. */
  canPublish(user: LiveUser | null): boolean | Promise<boolean>;
  /** The topic's state now, as a JSON value; absent where the topic has none. */
  readonly snapshot?: () => unknown;
  /** In place of a snapshot of the application's own: what was published last. */
  readonly latest?: LatestRule;
  /** Milliseconds after which a key that is not published again leaves the snapshot of `last-per-key`; never by default. */
  readonly maxKeyAgeMs?: number;
  /** Versions are milliseconds since 1970, and none may be further ahead of the clock here; not checked by default. */
  readonly maxVersionAheadMs?: number;
  readonly history?: HistoryRules;
  /** Bytes of the largest publication's data as JSON text, in UTF-8; absent: the broker's own bound alone. */
  readonly maxPublicationBytes?: number;
  /** How publications go out; each at once, and a subscriber that is too slow is closed, where it is absent. */
  readonly delivery?: DeliveryRules;
  /** Present: it is known and told who is subscribed. */
  readonly presence?: PresenceRules;
  /** The topic whose members this one tells; the server's own, nobody else publishes to it. */
  readonly tellsPresenceOf?: string;
}

/** Finds the rules of a topic. */
export interface Policy {
  /** `undefined` for a topic that nobody declared. Must not throw. */
  rulesFor(topic: string): TopicRules | undefined;
  /** Whether an error that a check threw means no, beside a `LiveError` with a lasting code. @default none does */
  isRefusal?(error: unknown): boolean;
}

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

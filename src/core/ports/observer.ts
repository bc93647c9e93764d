import type { LiveConnection } from './connection.js';
import type { ErrorCode } from '../../protocol/codes.js';

/**
 * How a topic with missing publications was repaired, reported once per topic:
 * - `healed`: they were fetched and delivered in order
 * - `lost`: they are lost, and the subscribers are notified
 * - `continued`: the stream continues under another epoch, and the subscribers missed nothing
 * - `new-epoch`: the stream was replaced, and the subscribers are notified
 */
export type Healed = 'healed' | 'lost' | 'continued' | 'new-epoch';

/**
 * How a peer above its limits was held back:
 * - `refused`: a message or ping above the rate [L-9.10]
 * - `closed`: too many refused messages, so the connection was closed [L-9.11]
 * - `unsettled`: a request beyond the limit of pending application calls [L-9.15]
 * - `replay`: a subscribe beyond the user's budget for recoveries and snapshots [L-9.18]
 */
export type RateLimitOutcome = 'refused' | 'closed' | 'unsettled' | 'replay';

/**
 * How the application answered an authorization check. All but the first two have `retryAfterMs`:
 * - `allowed`, `denied`: a definite answer
 * - `failed`: the check threw
 * - `late`: the check timed out
 * - `unavailable`: the check threw a `LiveError` with this code, because it cannot answer now
 */
export type RightOutcome = 'allowed' | 'denied' | 'failed' | 'late' | 'unavailable';

/** Since when and why a reachable engine refuses publications. */
export interface PublishRefusals {
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  /** Names no topic and no address. */
  readonly reason: string;
  /** Whether the engine has refused for at least 5 seconds. */
  readonly lasting: boolean;
}

/** Receives events for logs and metrics. No member may throw, block, or keep its arguments. */
export interface Observer {
  /** A connection was accepted and welcomed. */
  opened(connection: LiveConnection): void;
  /** Called after the connection has left the registry. */
  closed(connection: LiveConnection, code: number, reason: string): void;
  /** `type` is a handled type, `invalid`, or `unknown`, never text from the peer. */
  inbound(type: string): void;
  /** `count` frames of this type were queued for connections. */
  outbound(type: string, count: number): void;
  /** A peer above its limits was held back. */
  tooFast(connection: LiveConnection, result: RateLimitOutcome): void;
  /** An authorization check ended, for a request or for the recheck of a subscription. */
  authorized(right: 'canSubscribe' | 'canPublish', outcome: RightOutcome): void;
  /** Too many messages of the connection are waiting, so reading from it is paused. [L-2.8] */
  readingPaused(connection: LiveConnection): void;
  /** A message was answered with an `error` of this code. */
  refused(code: ErrorCode): void;
  /** An error of a handler, hook, provider or broker. `doing` names the operation. */
  failed(doing: string, error: unknown, connection?: LiveConnection): void;
  /** A gap in a topic was repaired or reported. */
  healed(how: Healed, topic: string): void;
  /** The broker reported that publications may have been missed. */
  suspected(): void;
  /** `count` subscriptions of a topic got a fresh start, or were closed because that failed. */
  restarted(how: 'done' | 'failed', count: number): void;
  /** The broker became available or unavailable. */
  availability(available: boolean): void;
  /** A publication was refused because its version is too far ahead of the clock. */
  versionRefused(topic: string): void;
  /** The engine started to refuse publications, or, without `refusals`, accepts them again. */
  publishing(refusals: PublishRefusals | undefined): void;
}

/** An observer that ignores everything. */
export const silentObserver: Observer = {
  opened() {},
  closed() {},
  inbound() {},
  outbound() {},
  tooFast() {},
  authorized() {},
  readingPaused() {},
  refused() {},
  failed() {},
  healed() {},
  suspected() {},
  restarted() {},
  availability() {},
  versionRefused() {},
  publishing() {},
};

import type { LiveConnection } from './connection.js';
import type { ErrorCode } from '../../protocol/codes.js';

/**
 * What became of a topic in which something was missing, once for the topic, not for each subscriber:
 * - `healed`: it was fetched and delivered in order
 * - `lost`: it will not come; the subscribers are told
 * - `continued`: its stream goes on under another epoch; the subscribers are told, and have missed nothing
 * - `new-epoch`: its stream is another one; the subscribers are told
 */
export type Healed = 'healed' | 'lost' | 'continued' | 'new-epoch';

/**
 * How a peer that asks for more than the server takes was held back:
 * - `refused`: a message or ping above the rate [L-9.10]
 * - `closed`: so many of them that they ended the connection [L-9.11]
 * - `unsettled`: a request while too many questions to the application are open [L-9.15]
 * - `replay`: a subscribe while too much was recovered and snapshotted for the user [L-9.18]
 */
export type HeldBack = 'refused' | 'closed' | 'unsettled' | 'replay';

/**
 * How the application answered whether a user may do something with a topic, with `retryAfterMs` for all but the first two:
 * - `allowed`, `denied`: it said so
 * - `failed`: the check threw
 * - `late`: it did not answer in time
 * - `unavailable`: it said by a `LiveError` of this code that it cannot tell now
 */
export type RightOutcome = 'allowed' | 'denied' | 'failed' | 'late' | 'unavailable';

/** Since when and why the engine, which answers, takes no publications. */
export interface PublishRefusals {
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  /** In words that name no topic and no address. */
  readonly reason: string;
  /** Whether that has been so for 5 seconds. */
  readonly lasting: boolean;
}

/** Told what happens, for logs and metrics. No member may throw, wait, or keep what it is given. */
export interface Observer {
  opened(connection: LiveConnection): void;
  /** After the connection has left the registry. */
  closed(connection: LiveConnection, code: number, reason: string): void;
  /** `type` is one that a handler takes, or `invalid`, or `unknown`: never the peer's own words. */
  inbound(type: string): void;
  /** `count` frames of this type were handed to connections. */
  outbound(type: string, count: number): void;
  tooFast(connection: LiveConnection, result: HeldBack): void;
  /** A right was checked: for a request, or again for a subscription. */
  authorized(right: 'canSubscribe' | 'canPublish', outcome: RightOutcome): void;
  /** Too many messages of the connection wait for their turn: nothing more is read from it for now. [L-2.8] */
  readingPaused(connection: LiveConnection): void;
  /** A message was answered with an `error` of this code. */
  refused(code: ErrorCode): void;
  /** An error that is ours: a handler, a hook, a provider, a broker. `doing` says what was being done. */
  failed(doing: string, error: unknown, connection?: LiveConnection): void;
  /** Something was missing in a topic. */
  healed(how: Healed, topic: string): void;
  /** The broker says that publications may have been missed. */
  suspected(): void;
  /** So many subscriptions of a topic were brought to a fresh start, or, where that was not possible, closed. */
  restarted(how: 'done' | 'failed', count: number): void;
  /** The broker is there or away, told when that changes. */
  availability(available: boolean): void;
  /** A publication was refused because its version is too far ahead of the clock. */
  versionRefused(topic: string): void;
  /** The engine begins to refuse publications, or, without `refusals`, takes them again. */
  publishing(refusals: PublishRefusals | undefined): void;
}

/** Listens and says nothing. */
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

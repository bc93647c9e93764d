import type { HistoryRules } from '../../core/ports/broker.js';
import type { LiveSchema } from './live-contract.options.js';

/** Options of the personal topics, which clients name `$user`. */
export interface PersonalTopicOptions {
  /**
   * How much of each user's topic is kept for connections that come back: publications, their age
   * in milliseconds, and bytes of JSON text. Integers from 0.
   *
   * @default `{ size: 100, ttlMs: 300000, maxBytes: 1048576 }`
   */
  readonly history?: Partial<HistoryRules>;
  /**
   * Schema of what `LiveService.toUser` publishes. Data that does not match is refused with
   * `validation-failed`.
   *
   * @default any JSON value
   */
  readonly data?: LiveSchema;
}

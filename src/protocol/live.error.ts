import type { ErrorCode } from './codes.js';

/** What an `error` message carries beside its code and words. */
export interface LiveErrorDetails {
  /** Milliseconds after which the same request may succeed. */
  readonly retryAfterMs?: number;
}

/**
 * A request that failed in a way the peer is told: its `code` and `message` go out in an `error` message as they are.
 * Any other error that a handler throws reaches the log, and the peer as `internal` without its words. [L-2.11]
 */
export class LiveError extends Error {
  override readonly name = 'LiveError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: LiveErrorDetails = {},
  ) {
    super(message);
  }
}

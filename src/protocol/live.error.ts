import type { ErrorCode } from './codes.js';

/** Optional fields of an `error` message besides its code and text. */
export interface LiveErrorDetails {
  /** Milliseconds after which the same request may succeed. */
  readonly retryAfterMs?: number;
}

/**
 * A failed request that the peer may know about: `code` and `message` are sent in an `error`
 * message unchanged. Any other error thrown by a handler is logged, and the peer gets only the code
 * `internal`. [L-2.11]
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

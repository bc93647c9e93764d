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
  /** Always `LiveError`. */
  override readonly name = 'LiveError';

  constructor(
    /** What kind of failure it is, for programs. */
    readonly code: ErrorCode,
    message: string,
    /** When to retry, if the server says so. */
    readonly details: LiveErrorDetails = {},
  ) {
    super(message);
  }
}

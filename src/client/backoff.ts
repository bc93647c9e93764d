/** Limits of the delay before a retry. */
export interface Backoff {
  /** Minimum delay, in milliseconds. */
  readonly minMs: number;
  /** Maximum random delay that is added, in milliseconds. */
  readonly maxMs: number;
}

export const defaultBackoff: Backoff = { minMs: 500, maxMs: 20_000 };

/**
 * Full jitter: `minMs` plus a random part of `minMs · 2^attempt`, or of `spreadMs · 2^attempt` if
 * that is longer, and at most of `maxMs`. Clients that are disconnected together do not reconnect
 * together.
 */
export function backoffMs(attempt: number, { minMs, maxMs }: Backoff, random: number, spreadMs = 0): number {
  return minMs + random * Math.min(maxMs, Math.max(spreadMs, minMs) * 2 ** attempt);
}

/** Milliseconds or bytes sent by a server, or 0 if the value is not a positive number. */
export function positiveOrZero(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** How long to wait before another try. */
export interface Backoff {
  /** Milliseconds that every wait takes at least. */
  readonly minMs: number;
  /** Milliseconds that are added at most. */
  readonly maxMs: number;
}

export const defaultBackoff: Backoff = { minMs: 500, maxMs: 20_000 };

/**
 * Full jitter: `minMs` plus a random part of `minMs · 2^attempt`, or of `spreadMs` where that is more, and of `maxMs` at
 * most. Clients that were cut together do not come back together.
 */
export function backoffMs(
  attempt: number,
  { minMs, maxMs }: Backoff,
  random: () => number,
  spreadMs = 0,
): number {
  return minMs + random() * Math.min(maxMs, Math.max(spreadMs, minMs * 2 ** attempt));
}

/** What a server says in milliseconds or bytes; 0 where it says nothing sensible. */
export function positiveOrZero(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}

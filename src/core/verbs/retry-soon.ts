import type { Clock } from '../ports/clock.js';

const shortestMs = 500;
const spreadMs = 1_000;

/**
 * Milliseconds after which a peer may retry. Randomized, because a failing store affects many peers
 * at once. Clients add their own back-off.
 */
export function retrySoonMs(clock: Clock): number {
  return Math.round(shortestMs + spreadMs * clock.random());
}

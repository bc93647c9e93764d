import type { Clock } from '../ports/clock.js';

const shortestMs = 500;
const spreadMs = 1_000;

/**
 * Milliseconds after which a peer may ask again. Spread, because a store that fails fails for many peers at once; a client
 * adds its own back-off.
 */
export function retrySoonMs(clock: Clock): number {
  return Math.round(shortestMs + spreadMs * clock.random());
}

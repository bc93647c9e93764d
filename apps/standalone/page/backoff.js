const firstMs = 500;
const longestMs = 20_000;
const transportCodesToComeBack = new Set([1001, 1006, 1008, 1011, 1012, 1013]);

/**
 * Whether a client comes back after this close code. [L-10.3]
 * @param {number} code
 */
export function mayReconnect(code) {
  if (code >= 4000 && code <= 4999) return code < 4500;
  return transportCodesToComeBack.has(code);
}

/**
 * Full jitter: anywhere between now and a ceiling that doubles, so that clients that fell together do not rise together.
 * @param {number} attempt 0 for the first try after a loss
 */
export function backoffMs(attempt) {
  return Math.random() * Math.min(longestMs, firstMs * 2 ** attempt);
}

/**
 * Whether the same request may succeed later. [L-2.10]
 * @param {string} code
 */
export function isTemporary(code) {
  return code === 'rate-limited' || code === 'unavailable' || code === 'internal';
}

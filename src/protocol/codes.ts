/** Codes of the `error` message. [L-2.10] */
export const errorCodes = [
  'protocol-violation',
  'not-implemented',
  'forbidden',
  'validation-failed',
  'limit-exceeded',
  'rate-limited',
  'unavailable',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Whether the same request may succeed if the client retries it. [L-2.10] */
export function isTemporary(code: ErrorCode): boolean {
  return code === 'rate-limited' || code === 'unavailable' || code === 'internal';
}

/** Close codes that a live server sends, by meaning. [L-10.3] */
export const CloseCode = {
  goingAway: 1001,
  unsupportedData: 1003,
  policy: 1008,
  internalError: 1011,
  noPong: 4001,
  tooManyViolations: 4002,
  positionLost: 4003,
  credentialExpired: 4501,
  disconnected: 4503,
} as const;

/** Close reasons that are part of the protocol. */
export const CloseReason = {
  serverShuttingDown: 'server shutting down',
  backPressure: 'back-pressure threshold exceeded',
  positionLost: 'position lost',
  tooFast: 'too fast',
} as const;

/** Close codes below 4000 after which a client does not reconnect. */
const final: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1009]);

/**
 * Whether a client reconnects after a close with `code`, including codes it does not know. Codes
 * that a live server never sends (0, 1005, 1014, 1015, 3000 to 3999) come from an intermediary or
 * from the runtime and count as 1006. [L-10.3]
 */
export function mayReconnect(code: number): boolean {
  if (code >= 4500 && code <= 4999) return code === CloseCode.credentialExpired;
  return !final.has(code);
}

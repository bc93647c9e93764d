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

/** Whether the same request may succeed later. [L-2.10] */
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
  badRequest: 4500,
  credentialExpired: 4501,
  disconnected: 4503,
  limit: 4504,
} as const;

/** Close reasons that are part of the protocol. */
export const CloseReason = {
  serverShuttingDown: 'server shutting down',
  backPressure: 'back-pressure threshold exceeded',
  positionLost: 'position lost',
  tooFast: 'too fast',
} as const;

const transportCodesToComeBack: ReadonlySet<number> = new Set([1001, 1006, 1008, 1011, 1012, 1013]);

/**
 * Whether a client comes back after a close with `code`: one comparison, also for a code it has never seen. [L-10.3]
 * Codes below 4000 that are not named there end the matter.
 */
export function mayReconnect(code: number): boolean {
  if (code >= 4000 && code <= 4999) return code < 4500;
  return transportCodesToComeBack.has(code);
}

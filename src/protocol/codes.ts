/** Codes of a `LiveError` and of the `error` message. [L-2.10] */
export type ErrorCode =
  | 'protocol-violation'
  | 'not-implemented'
  | 'forbidden'
  | 'validation-failed'
  | 'limit-exceeded'
  | 'rate-limited'
  | 'unavailable'
  | 'internal';

// An object instead of a list, so that the compiler reports a missing code.
const codes: Readonly<Record<ErrorCode, true>> = {
  'protocol-violation': true,
  'not-implemented': true,
  forbidden: true,
  'validation-failed': true,
  'limit-exceeded': true,
  'rate-limited': true,
  unavailable: true,
  internal: true,
};

export const errorCodes = Object.keys(codes) as readonly ErrorCode[];

/** Whether the same request may succeed if the client retries it. [L-2.10] */
export function isTemporary(code: ErrorCode): boolean {
  return code === 'rate-limited' || code === 'unavailable' || code === 'internal';
}

/** Used by the client, which leaves the other codes out of its bundle. */
export const credentialExpired = 4501;

/** Close codes that a live server sends, by meaning. [L-10.3] */
export const CloseCode = {
  /** The server shuts down; the client reconnects. */
  goingAway: 1001,
  /** The client sent a binary message; it does not reconnect. */
  unsupportedData: 1003,
  /** The client reads too slowly; it reconnects and starts over. */
  policy: 1008,
  /** An application hook of the connection failed; the client reconnects. */
  internalError: 1011,
  /** The client did not answer a ping; it reconnects. */
  noPong: 4001,
  /** Too many invalid messages, or too fast; the client reconnects. */
  tooManyViolations: 4002,
  /** The server cannot tell the client where a topic stands; it reconnects. */
  positionLost: 4003,
  /** The credential has expired; the client reconnects with a new one. */
  credentialExpired,
  /** Closed by the application; the client does not reconnect. */
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
  if (code >= 4500 && code <= 4999) return code === credentialExpired;
  return !final.has(code);
}

/**
 * - `closed`: the client is closed, by `close()` or because the server said not to come back.
 * - `not-sent`: the request never left; it certainly had no effect.
 * - `unknown-outcome`: the request left and no answer came; it may have had its effect. It is never sent again by itself.
 */
export type LiveClientErrorCode = 'closed' | 'not-sent' | 'unknown-outcome';

/** Why a connection ended. */
export interface LiveClose {
  /** WebSocket close code; 1006 where the connection broke without one. */
  readonly code: number;
  readonly reason: string;
}

/** A failure on this side of the wire. What the server answers is a `LiveError`. */
export class LiveClientError extends Error {
  override readonly name = 'LiveClientError';

  constructor(
    readonly code: LiveClientErrorCode,
    message: string,
    /** How the connection ended, where that is the reason. */
    readonly close?: LiveClose,
  ) {
    super(message);
  }
}

/**
 * - `closed`: the client is closed, by `close()` or because the server forbade reconnecting.
 * - `not-sent`: the request was never sent and had no effect.
 * - `unknown-outcome`: the request was sent but not answered. It may have taken effect. The client
 *   does not send it again.
 */
export type LiveClientErrorCode = 'closed' | 'not-sent' | 'unknown-outcome';

/** Why a connection ended. */
export interface LiveClose {
  /** WebSocket close code. 1006 if the connection broke without one. */
  readonly code: number;
  /** The text in the close frame; may be empty. */
  readonly reason: string;
}

/** An error on the client side. Errors sent by the server are `LiveError`s. */
export class LiveClientError extends Error {
  /** Always `LiveClientError`. */
  override readonly name = 'LiveClientError';

  constructor(
    /** What happened, for programs. */
    readonly code: LiveClientErrorCode,
    message: string,
    /** How the connection ended, if that is the reason. */
    readonly close?: LiveClose,
  ) {
    super(message);
  }
}

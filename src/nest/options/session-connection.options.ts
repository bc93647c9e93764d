/** How `SessionConnectionGuard` queries the session's backend. */
export interface SessionConnectionOptions {
  /**
   * The backend receives the request's cookie header with `GET`; `200` with a JSON object that has
   * an `id` accepts the user. Redirects are not followed.
   */
  readonly url: string;
  /** Milliseconds until the request times out and the handshake is refused. @default 2000 */
  readonly timeoutMs?: number;
  /**
   * Milliseconds for which a positive answer is cached, so that a wave of reconnects does not query
   * each time.
   *
   * @default 5000
   */
  readonly cacheMs?: number;
}

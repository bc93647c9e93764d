/** How `SessionConnectionGuard` asks the session's own backend. */
export interface SessionConnectionOptions {
  /**
   * The request's cookie header is sent there with `GET`; `200` with a JSON object that has an `id` lets the user in.
   * Redirects are not followed.
   */
  readonly url: string;
  /** Milliseconds until the answer counts as a no. @default 2000 */
  readonly timeoutMs?: number;
  /** Milliseconds for which a yes is remembered, so that a reconnect wave does not ask each time. @default 5000 */
  readonly cacheMs?: number;
}

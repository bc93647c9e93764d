/**
 * How `JwtConnectionGuard` verifies a token. Exactly one of `secret`, `publicKey` and `jwksUrl` is
 * required.
 */
export interface JwtConnectionOptions {
  /**
   * Shared secret for the HS algorithms, at least 32 bytes of UTF-8 (RFC 7518, section 3.2). A list
   * of up to 10 secrets accepts tokens signed with any of them: to rotate, add the new secret in
   * front and remove the old one once its last token has expired.
   */
  readonly secret?: string | readonly string[];
  /**
   * The issuer's public key: PEM text or a JWK. RSA of at least 2048 bits, P-256, P-384, P-521 or
   * Ed25519.
   */
  readonly publicKey?: string | Readonly<Record<string, unknown>>;
  /** URL of the issuer's public keys (a JWK set), `https:` except on a loopback address. */
  readonly jwksUrl?: string;
  /**
   * Milliseconds during which the last good keys of `jwksUrl` are used while it does not answer;
   * afterwards handshakes are answered with 503. A key revoked in the meantime stays valid for as
   * long. 0 to a week.
   *
   * @default 3600000
   */
  readonly jwksMaxStaleMs?: number;
  /** The cookie that may hold the token. @default 'live_token' */
  readonly cookieName?: string;
  /**
   * Accepted algorithms; a token that names another one is refused before its signature is checked.
   *
   * @default ['HS256'] with `secret`, ['RS256', 'ES256', 'EdDSA'] with `jwksUrl`, the usual one of
   *   its kind with `publicKey`
   */
  readonly algorithms?: readonly string[];
  /** The `iss` that a token must have. @default not checked */
  readonly issuer?: string;
  /** The `aud` that a token must have. @default not checked */
  readonly audience?: string;
  /**
   * Whether to refuse tokens without `exp` with 401. Such a token is valid until its key changes,
   * and its connection never expires.
   *
   * @default false
   */
  readonly requireExpiry?: boolean;
  /** Tolerance for `exp` and `nbf`, in seconds. @default 60 */
  readonly clockToleranceSeconds?: number;
}

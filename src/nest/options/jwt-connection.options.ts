/**
 * How `JwtConnectionGuard` checks a token. Exactly one of `secret`, `publicKey` and `jwksUrl` must be there.
 */
export interface JwtConnectionOptions {
  /**
   * Shared secret for the HS algorithms, at least 32 bytes of UTF-8 (RFC 7518, section 3.2). Of several, up to 10, any may
   * have signed a token: to rotate, put the new one in front, and take the old one away when its last token has expired.
   */
  readonly secret?: string | readonly string[];
  /**
   * The issuer's public key: PEM text or a JWK. RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519.
   */
  readonly publicKey?: string | Readonly<Record<string, unknown>>;
  /** Where the issuer's public keys are (a JWK set), `https:` except on a loopback address. */
  readonly jwksUrl?: string;
  /**
   * Milliseconds for which the keys of `jwksUrl` that were good last are used while it does not answer; then handshakes are
   * answered 503. A key that was revoked meanwhile is good for so long. 0 to a week.
   * @default 3600000
   */
  readonly jwksMaxStaleMs?: number;
  /** The cookie that may hold the token. @default 'live_token' */
  readonly cookieName?: string;
  /**
   * Algorithms that are accepted; a token that names another is refused before its signature is looked at.
   * @default ['HS256'] with `secret`, ['RS256', 'ES256', 'EdDSA'] with `jwksUrl`, the usual one of its kind with `publicKey`
   */
  readonly algorithms?: readonly string[];
  /** The `iss` that a token must have. @default not checked */
  readonly issuer?: string;
  /** The `aud` that a token must have. @default not checked */
  readonly audience?: string;
  /**
   * Whether a token without `exp` is refused with 401. Such a token is good until its key is changed, and its
   * connection never expires.
   * @default false
   */
  readonly requireExpiry?: boolean;
  /** Seconds that `exp` and `nbf` may be off. @default 60 */
  readonly clockToleranceSeconds?: number;
}

/**
 * How `JwtConnectionGuard` checks a token. Exactly one of `secret` and `jwksUrl` must be there.
 */
export interface JwtConnectionOptions {
  /** Shared secret for the HS algorithms, at least 32 bytes of UTF-8 (RFC 7518, section 3.2). */
  readonly secret?: string;
  /** Where the issuer's public keys are (a JWK set), `https:` except on a loopback address. */
  readonly jwksUrl?: string;
  /**
   * Algorithms that are accepted; a token that names another is refused before its signature is looked at.
   * @default ['HS256'] with `secret`, ['RS256', 'ES256', 'EdDSA'] with `jwksUrl`
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

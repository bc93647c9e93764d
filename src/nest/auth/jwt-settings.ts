import type { KeyObject } from 'node:crypto';

/** Validated options of `JwtConnectionGuard`. The secret is a key object, which no log prints. */
export interface JwtSettings {
  readonly key: KeyObject | URL;
  /** Further secrets, besides `key`, that may have signed a token. */
  readonly otherSecrets?: readonly KeyObject[];
  readonly algorithms: readonly string[];
  readonly issuer?: string;
  readonly audience?: string;
  readonly requireExpiry: boolean;
  readonly clockToleranceSeconds: number;
  readonly jwksMaxStaleMs: number;
  readonly cookieName: string;
}

/**
 * The user of a connection, as identified by the connection guard. Only `id` is ever sent to the
 * peer.
 */
export interface LiveUser {
  readonly id: string;
  readonly [claim: string]: unknown;
}

/** Result of authentication, shared by guards, registry and broadcast. */
export interface ConnectionIdentity {
  /** `null` if no guard identified a user. */
  readonly user: LiveUser | null;
  /** Expiry of the credential, milliseconds since 1970. Absent if it never expires. */
  readonly expiresAt?: number;
}

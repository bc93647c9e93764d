/**
 * The user of a connection, as identified by the connection guard. Only `id` is ever sent to the
 * peer.
 */
export interface LiveUser {
  /** The user's id: 1 to 1024 characters. */
  readonly id: string;
  /** Other claims, as the guard or the token gave them. They stay on the server. */
  readonly [claim: string]: unknown;
}

/** Result of authentication, shared by guards, registry and broadcast. */
export interface ConnectionIdentity {
  /** `null` if no guard identified a user. */
  readonly user: LiveUser | null;
  /** Expiry of the credential, milliseconds since 1970. Absent if it never expires. */
  readonly expiresAt?: number;
}

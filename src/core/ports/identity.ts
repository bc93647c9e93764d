/** Who is at the other end, as the connection guard found out. Only `id` is ever sent to the peer. */
export interface LiveUser {
  readonly id: string;
  readonly [claim: string]: unknown;
}

/** What authentication says about a connection; shared by guards, registry and broadcast. */
export interface ConnectionIdentity {
  /** `null` where no guard named anybody. */
  readonly user: LiveUser | null;
  /** The credential's end, milliseconds since 1970; absent means that it has none. */
  readonly expiresAt?: number;
}

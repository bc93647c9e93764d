/** What ties a connection to a topic: a subscription, or a subscribe that is still pending. */
export interface Membership {
  /** Whether publications are delivered. */
  readonly live: boolean;
  /** Ends it, at once and for good. */
  leave(): void;
}

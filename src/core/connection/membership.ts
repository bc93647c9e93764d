/** What ties a connection to a topic: a subscription, or a subscribe that is still pending. */
export interface Membership {
  /** Whether publications are delivered. */
  readonly live: boolean;
  /** Ends it, at once and for good. */
  leave(): void;
}

/** What a subscriber takes of a topic. */
export interface Wanted {
  /** Publications per second. @default all */
  readonly maxRate?: number | undefined;
  /** Bytes of the largest message. @default Infinity */
  readonly mostBytes?: number | undefined;
}

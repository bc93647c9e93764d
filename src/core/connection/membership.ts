/** Relation of a connection to a topic: a subscription or a pending subscribe. */
export interface Membership {
  /** Whether publications are delivered. */
  readonly live: boolean;
  /** Ends it at once and for good. */
  leave(): void;
}

/** What a subscriber requests of a topic. */
export interface Wanted {
  /** Publications per second. @default all */
  readonly maxRate?: number | undefined;
  /** Maximum message size in bytes. @default Infinity */
  readonly maxBytes?: number | undefined;
  /** Whether a large snapshot may come in pages. [L-6.10] */
  readonly pages?: boolean | undefined;
  /** Whether the last data of each key comes as a list of entries. [L-6.11] */
  readonly entries?: boolean | undefined;
}

/** A publication in a `PublishStore`. */
export interface KeptPublish {
  /** Its idempotency key, which is unique. */
  readonly key: string;
  /** The topic. */
  readonly topic: string;
  /** The message without its id and the last brace. */
  readonly text: string;
  /** When it was published, in milliseconds since 1970. Later ones have a higher number. */
  readonly atMs: number;
  /** Time limit, in milliseconds, if there is one. */
  readonly ttlMs?: number | undefined;
  /** When it was first sent, in milliseconds since 1970. Absent: never. */
  readonly sentAtMs?: number;
}

/** Keeps the publications of one user over a reload of the page. `keptQueue` makes one. */
export interface PublishStore {
  /** Id of the user whose publications it keeps, as the server knows it. */
  readonly user: string;
  /** Returns what is kept, once, at the start of the client. */
  load(): Promise<readonly KeptPublish[]>;
  /** Adds a publication, or replaces the one with its `key`. Its failures are its own to report. */
  put(kept: KeptPublish): void;
  /** Removes the publication with this key: it was answered, or given up. */
  delete(key: string): void;
}

/** How publications wait for a connection and for their answers. */
export interface PublishQueueOptions {
  /**
   * Maximum number of publications and requests that wait.
   * @default 1_000
   */
  readonly maxMessages?: number | undefined;
  /**
   * Maximum size of all that wait together, in bytes of UTF-8.
   * @default 1_048_576
   */
  readonly maxBytes?: number | undefined;
  /**
   * Milliseconds after which a publication is given up; it is never sent later than that. `publish`
   * may set it for one publication.
   * @default 300_000 for the wait for a connection, and then the time that the server remembers it
   */
  readonly ttlMs?: number | undefined;
  /**
   * Keeps waiting publications over a reload, for instance `keptQueue({ user })`.
   * @default none
   */
  readonly store?: PublishStore | undefined;
}

/** Options of every publication. */
export interface QueuedPublishOptions {
  /**
   * Milliseconds after which it is given up; it is never sent later than that.
   * @default `queue.ttlMs` of the client
   */
  readonly ttlMs?: number | undefined;
  /**
   * Names the publication, 1 to 128 characters: for five minutes the server publishes no other one
   * of this user and topic with the same name.
   * @default a random one
   */
  readonly idempotencyKey?: string | undefined;
}

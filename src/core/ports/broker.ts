import type { Position } from '../../protocol/position.js';

/** One publication, as brokers store and deliver it. */
export interface Publication {
  /** Its position in the topic, from 1. */
  readonly offset: number;
  /** JSON text, serialized once by the publisher. `null` for a removal. */
  readonly data: string;
  /** The entity that it is about; absent if it has none. */
  readonly key?: string;
  /** Removes its key instead of setting its data. */
  readonly removed?: true;
}

/** Data of a removal, for engines and older instances that only know data. */
export const removalData = 'null';

/** Limits of a topic's history. Whichever is reached first applies. */
export interface HistoryRules {
  /** Number of publications. */
  readonly size: number;
  /** Maximum age of a publication, in milliseconds. */
  readonly ttlMs: number;
  /** Bytes of JSON text. */
  readonly maxBytes: number;
}

/** What a stream keeps for snapshots: its last publication, or the last of each key. */
export type LatestRule = 'last' | 'last-per-key';

/** Milliseconds that a broker remembers an idempotency key. */
export const idempotencyMs = 300_000;

/** What `Broker.publish` takes besides the topic and the data. */
export interface BrokerPublishOptions {
  /** The entity that the publication is about: 1 to 128 characters. */
  readonly key?: string;
  /** Absent: nothing is kept for snapshots. */
  readonly latest?: LatestRule;
  /** Absent: no history is kept. */
  readonly history?: HistoryRules;
  /**
   * Identifies this publication, so that a publisher can retry after an unknown outcome. The same
   * key on the same topic stores nothing for five minutes.
   */
  readonly idempotencyKey?: string;
  /**
   * An integer that grows with the published state, for publishers that may overtake each other.
   * With a `key` it is compared with the newest version of that key, otherwise with the newest
   * version published without a key. A version that is not newer stores nothing. Brokers remember
   * the versions of at least the 10,000 most recent keys, including removed ones.
   */
  readonly version?: number;
  /**
   * Removes the key from what is kept for `last-per-key`. Requires a `key`; its data is
   * `removalData`.
   */
  readonly remove?: true;
}

/** Position of a publication. */
export interface Published extends Position {
  /**
   * Set if nothing was stored. `duplicate`: the position is that of the first publication with this
   * idempotency key, or offset 0 if the broker no longer knows it. `stale`: the `version` is not
   * newer, and the position is the end of the topic.
   */
  readonly suppressed?: 'duplicate' | 'stale';
}

/** Maximum size of a recovery. A larger one counts as unrecoverable. */
export interface RecoveryLimits {
  /** Maximum number of publications. */
  readonly count: number;
  /** Maximum bytes of their JSON text together. */
  readonly bytes: number;
}

/** The end of a stream, and the publications after a position. */
export interface StreamReading {
  /** Position of the last publication; offset 0 if there is none. */
  readonly top: Position;
  /**
   * Every publication after `since`, in order, or `undefined` if some are gone or none were
   * requested. Never a part. It may be set although `since` has another epoch than `top`: if the
   * engine went back, but not behind `since`, the stream continues from there under the epoch of
   * `top`.
   */
  readonly missed: readonly Publication[] | undefined;
}

/** What a stream keeps for snapshots, and its end at the same moment. */
export interface LatestReading {
  /** Position of the last publication; offset 0 if there is none. */
  readonly top: Position;
  /** At most one, or at most one per key, in order of their offsets. */
  readonly publications: readonly Publication[];
  /**
   * Milliseconds since each of them was published, by the engine's clock; `undefined` if an earlier
   * version stored it without a time. There if `maxKeyAgeMs` was given.
   */
  readonly agesMs?: readonly (number | undefined)[];
}

/** Receiver of a broker's deliveries. No member throws. */
export interface BrokerSink {
  /**
   * Called for subscribed topics only, usually in order and without a gap. The receiver checks
   * that, because an engine may lose messages.
   */
  publication(topic: string, epoch: string, publication: Publication): void;
  /**
   * Publications of this topic, or of any, may have been missed. The receiver compares its
   * positions with `tops`.
   */
  suspect(topic?: string): void;
  /** Called when `available` changes. */
  availability(available: boolean): void;
  /** A text that an instance sent to all instances, including this one. */
  signal(text: string): void;
}

/** A sink that ignores everything. */
export const silentSink: BrokerSink = {
  publication() {},
  suspect() {},
  availability() {},
  signal() {},
};

/** Maximum size of a signal's text, in bytes. Every broker must carry this much. */
export const maxSignalBytes = 262_144;

/**
 * Stores and delivers the streams of topics. Their names are those of [L-3.1] and, for personal
 * topics, `$user/` with 43 characters of `A-Za-z0-9_-`. Calls reject while the engine is
 * unreachable, and none waits forever.
 *
 * An epoch has one history: two publications never share an epoch and offset. After the engine may
 * have gone back (a restart, restore or failover), every topic continues under a new epoch.
 */
export interface Broker {
  /**
   * Whether the engine answers; checked every few seconds. Initially `false` if the broker must
   * connect first.
   */
  readonly available: boolean;
  /**
   * Set if no publication can be missed because the streams are in this process. Positions are not
   * checked then.
   */
  readonly lossless?: true;
  /** Set if no other instance can use the same engine. No signals are sent then. */
  readonly solitary?: true;
  /**
   * Whether publications of a topic stay in this process and so say nothing about the engine.
   * @default never
   */
  isLocal?(topic: string): boolean;
  /** Called once, before any other member. */
  start(sink: BrokerSink): void;
  /**
   * Assigns the next offset, stores and delivers, in one atomic step of the engine. Resolves when
   * the engine has the publication. Rejects with a `PublishRefusal` if the engine refused it.
   */
  publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published>;
  /** Resolves when the subscription is active: every later publication reaches the sink. */
  subscribe(topic: string): Promise<void>;
  /** After it resolves, no publication of the topic reaches the sink. */
  unsubscribe(topic: string): Promise<void>;
  /**
   * Reads the topic's end and the publications after `since`. Writes nothing: an unused topic has
   * offset 0 and the epoch that its first publication will have.
   */
  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading>;
  /** Reads the ends of many topics, in one call to the engine if possible. Writes nothing. */
  tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>>;
  /**
   * Reads what was published with `latest`, completely and without removed keys. Writes nothing.
   *
   * @param maxKeyAgeMs - omits keys published longer ago, by the engine's clock. @default no limit
   */
  latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading>;
  /** Sends a text to all instances, including this one, at most once and in any order. */
  signal(text: string): Promise<void>;
  /** Completes the calls in flight and frees all resources. Calls made after it reject. */
  close(): Promise<void>;
}

import type { Position } from '../../protocol/position.js';

/** One publication, as brokers store and carry it. */
export interface Publication {
  /** Its place in the topic, from 1. */
  readonly offset: number;
  /** JSON text, made once where it was published; `null` for a removal. */
  readonly data: string;
  readonly key?: string;
  /** Takes its key away instead of giving it data. */
  readonly removed?: true;
}

/** The data of a removal, for engines and older instances that know data alone. */
export const removalData = 'null';

/** Bounds of a topic's history; whichever is reached first. */
export interface HistoryRules {
  /** Publications. */
  readonly size: number;
  /** Milliseconds that a publication is kept. */
  readonly ttlMs: number;
  /** Bytes of JSON text. */
  readonly maxBytes: number;
}

/** What a stream remembers for snapshots: its last publication, or the last of each key. */
export type LatestRule = 'last' | 'last-per-key';

export interface PublishOptions {
  readonly key?: string;
  /** Absent: no snapshot is remembered. */
  readonly latest?: LatestRule;
  /** Absent: nothing is kept. */
  readonly history?: HistoryRules;
  /**
   * Names this publication, for a publisher that tries again because it does not know what became of it: the same key on
   * the same topic within five minutes stores nothing.
   */
  readonly idempotencyKey?: string;
  /**
   * Grows with the state that is published, for publishers that may overtake each other. An integer. With a `key` it is
   * compared with the newest of that key, without one with the newest of the topic's publications without a key: what is
   * not newer stores nothing. The versions of at least the 10,000 keys heard of last are remembered, removed ones too.
   */
  readonly version?: number;
  /** The key is taken away: out of what is remembered for `last-per-key`. It needs a `key`, and its data is `removalData`. */
  readonly remove?: true;
}

/** Where a publication went. */
export interface Published extends Position {
  /**
   * Nothing was stored. `duplicate`: the position is that of the first publication with this idempotency key; `stale`: its
   * `version` is not newer, and the position is the topic's end.
   */
  readonly suppressed?: 'duplicate' | 'stale';
}

/** How much a recovery may return; more than that counts as unrecoverable. */
export interface RecoveryLimits {
  readonly count: number;
  readonly bytes: number;
}

/** The end of a stream, and what came after a position. */
export interface StreamReading {
  readonly top: Position;
  /**
   * Everything after `since`, in order; `undefined` when it is not all there, or nothing was asked. Never a part. It may be
   * there although `since` names another epoch than `top`: the engine may have gone back since, but not behind `since`, so
   * the stream continues it under the epoch of `top`, and its offsets go on.
   */
  readonly missed: readonly Publication[] | undefined;
}

/** What a stream remembers for snapshots, and its end at the same moment. */
export interface LatestReading {
  readonly top: Position;
  /** At most one, or at most one of each key. */
  readonly publications: readonly Publication[];
}

/** Where a broker delivers. No member throws. */
export interface BrokerSink {
  /**
   * Called for subscribed topics only. Mostly in the order of offsets and without a gap; whoever listens checks, because an
   * engine may lose what it carries.
   */
  publication(topic: string, epoch: string, publication: Publication): void;
  /** Publications may have been missed, of this topic, or of any: whoever listens compares its positions with `tops`. */
  suspect(topic?: string): void;
  /** `available` has changed. */
  availability(available: boolean): void;
  /** A text that an instance sent to all, this one too. */
  signal(text: string): void;
}

/** Listens and does nothing. */
export const silentSink: BrokerSink = {
  publication() {},
  suspect() {},
  availability() {},
  signal() {},
};

/** Most bytes of a signal's text; a broker carries so much, whatever its other limits are. */
export const maxSignalBytes = 262_144;

/**
 * Stores and carries the streams. Calls reject when the engine is away; none of them waits for ever.
 *
 * An epoch has one history: two publications never have the same epoch and offset. Where the engine may have gone back (it
 * was restarted, restored or failed over), each topic continues under a new epoch.
 */
export interface Broker {
  /** Whether the engine answers; it is asked every few seconds. A broker starts out unavailable when it must connect first. */
  readonly available: boolean;
  /** Whether nothing can be missed between the streams and the sink, both being in this process: positions are not compared every so often then. */
  readonly lossless?: true;
  /** Whether no other instance can be on the same engine: nothing is said to others then. */
  readonly solitary?: true;
  /** Whether a topic's publications stay in this process, and so say nothing of the engine. @default none does */
  isLocal?(topic: string): boolean;
  /** Called once, before anything else. */
  start(sink: BrokerSink): void;
  /**
   * Gives the next offset, stores, delivers: one step for the engine. Resolves once the publication is in its hands; rejects
   * with a `PublishRefusal` where the engine answered and did not take it.
   */
  publish(topic: string, data: string, options: PublishOptions): Promise<Published>;
  /** Resolves when the subscription is in force: everything published from then on reaches the sink. */
  subscribe(topic: string): Promise<void>;
  /** No publication of the topic reaches the sink after this has resolved. */
  unsubscribe(topic: string): Promise<void>;
  /**
   * The topic's end, and what came after `since`. Writes nothing: an untouched topic has offset 0 and the epoch that its first
   * publication will have.
   */
  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading>;
  /** The ends of many topics, in one call to the engine where it can. Writes nothing. */
  tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>>;
  /**
   * What was published with `latest`, whole or nothing, without removed keys. Writes nothing.
   *
   * @param maxKeyAgeMs keys that were published longer ago, by the engine's clock, are left out; all are given by default
   */
  latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading>;
  /** Carries a text to all instances, this one too: at most once, in any order. */
  signal(text: string): Promise<void>;
  /** Frees everything; later calls reject. */
  close(): Promise<void>;
}

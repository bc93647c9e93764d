import type { Position } from '../protocol/position.js';
import type { DataOf, KeyOf, SnapshotOf } from '../protocol/topic-types.js';

/** The first message of a subscription, which begins at `position`. */
export interface StartMessage<Snapshot = unknown> {
  /** Tells the kind of message. */
  readonly type: 'start';
  /** The topic of the subscription. */
  readonly topic: string;
  /** Where the subscription begins; the first publication follows it. */
  readonly position: Position;
  /** `true` if this resumes from the given `since` without a gap. There is no snapshot then. */
  readonly recovered: boolean;
  /** State of the topic at `position` or later. Absent if the topic has no snapshots. */
  readonly snapshot?: Snapshot;
}

/** What every publication has. */
export interface PublicationPlace {
  /** Tells the kind of message. */
  readonly type: 'event';
  /** The topic of the subscription. */
  readonly topic: string;
  /** Keep it to resume later with `subscribe(topic, { since })`. */
  readonly position: Position;
  /** First offset that it covers. Less than `position.offset` if the server merged publications. */
  readonly from: number;
}

/** Data was published. */
export interface DataMessage<Data, Key extends string = string> extends PublicationPlace {
  /** The published value. */
  readonly data: Data;
  /** The entity that it is about, if the publisher named one. */
  readonly key?: Key | undefined;
  /** Absent, unlike in a removal. */
  readonly removed?: undefined;
}

/** The key was removed. [L-4.11] */
export interface RemovalMessage<Key extends string = string> extends PublicationPlace {
  /** Tells a removal from other publications. */
  readonly removed: true;
  /** The entity that was removed. */
  readonly key: Key;
  /** Absent: a removal has no data. */
  readonly data?: undefined;
}

/**
 * One publication. Each arrives once, in order of its offset. If `removed` is `true`, it has a
 * `key` and no `data`.
 */
export type PublicationMessage<Data = unknown, Key extends string = string> =
  DataMessage<Data, Key> | RemovalMessage<Key>;

/**
 * - `unrecovered`: the server no longer had the publications missed during a disconnect.
 * - `new-epoch`: the server lost the stream and began a new one.
 * - `dropped`: the server skipped publications because this client was too slow.
 * - `overflow`: the iterator was read too slowly, and the client dropped its oldest publications.
 */
export type LostReason = 'unrecovered' | 'new-epoch' | 'dropped' | 'overflow';

/**
 * Publications that will not arrive. Start over from `snapshot`, or reload the state; the next
 * message continues from `position`.
 */
export interface LostNotice<Snapshot = unknown> {
  /** Tells the kind of message. */
  readonly type: 'lost';
  /** The topic of the subscription. */
  readonly topic: string;
  /** Why they will not arrive. */
  readonly reason: LostReason;
  /** Where the subscription continues. */
  readonly position: Position;
  /**
   * State of the topic at `position` or later. Absent for `overflow` and if the topic has no
   * snapshots.
   */
  readonly snapshot?: Snapshot;
  /**
   * First and last missing offset, and their count. Absent if the epoch changed, because they are
   * unknown then.
   */
  readonly from?: number;
  /** Last missing offset. */
  readonly to?: number;
  /** 0 if nothing was published in between. */
  readonly count?: number;
}

/** The last message to a listener. An iterator ends instead, and throws `error` if there is one. */
export interface EndMessage {
  /** Tells the kind of message. */
  readonly type: 'end';
  /** The topic of the subscription. */
  readonly topic: string;
  /** A `LiveError` if the server ended it. Absent after the client's own `close()`. */
  readonly error?: Error;
}

/** A message that an iterator yields. */
export type TopicMessage<Data = unknown, Snapshot = unknown> =
  StartMessage<Snapshot> | PublicationMessage<Data> | LostNotice<Snapshot>;

/** A `StartMessage`, by the topic's entry in the topic map. */
export interface StartMessageOf<Entry> extends StartMessage {
  /** State of the topic, as in `StartMessage`. */
  readonly snapshot?: SnapshotOf<Entry>;
}
/** A `DataMessage`, by the topic's entry in the topic map. */
export interface DataMessageOf<Entry> extends Omit<DataMessage<unknown>, 'key'> {
  /** The published value. */
  readonly data: DataOf<Entry>;
  /** The entity that it is about. `undefined` is only possible if the topic declares no keys. */
  readonly key: KeyOf<Entry>;
}
/** A `RemovalMessage`, by the topic's entry in the topic map. */
export interface RemovalMessageOf<Entry> extends RemovalMessage {
  /** The entity that was removed. */
  readonly key: KeyOf<Entry> & string;
}
/** A `LostNotice`, by the topic's entry in the topic map. */
export interface LostNoticeOf<Entry> extends LostNotice {
  /** State of the topic, as in `LostNotice`. */
  readonly snapshot?: SnapshotOf<Entry>;
}
/**
 * A `TopicMessage`, by the topic's entry in the topic map. The compiler resolves the types of a
 * message's members when they are used. With a conditional type in the union it would resolve all
 * of them for each subscription.
 */
export type MessageOf<Entry> =
  StartMessageOf<Entry> | DataMessageOf<Entry> | RemovalMessageOf<Entry> | LostNoticeOf<Entry>;

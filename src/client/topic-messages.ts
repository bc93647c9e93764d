import type { Position } from '../protocol/position.js';

/** The first message of a subscription: it stands at `position`. */
export interface StartMessage<Snapshot = unknown> {
  readonly type: 'start';
  readonly topic: string;
  readonly position: Position;
  /** `true` where this continues the `since` that was given, without a gap: there is no snapshot then. */
  readonly recovered: boolean;
  /** The topic's state at `position` or later; absent where the topic has none. */
  readonly snapshot?: Snapshot;
}

interface PublicationPlace {
  readonly type: 'event';
  readonly topic: string;
  /** Keep it to go on from here later: `subscribe(topic, { since })`. */
  readonly position: Position;
  /** First offset that it stands for; less than `position.offset` where the server merged publications. */
  readonly from: number;
}

/** Data was published. */
interface DataMessage<Data> extends PublicationPlace {
  readonly data: Data;
  readonly key?: string;
  readonly removed?: undefined;
}

/** The key, and what was known of it, are gone. [L-4.11] */
interface RemovalMessage extends PublicationPlace {
  readonly removed: true;
  readonly key: string;
  readonly data?: undefined;
}

/** One publication. Each comes once and in the order of its offset. Where `removed` is `true` there is a `key` and no `data`. */
export type PublicationMessage<Data = unknown> = DataMessage<Data> | RemovalMessage;

/**
 * - `unrecovered`: the server no longer had what was missed while the connection was down.
 * - `new-epoch`: the server lost the stream and began a new one.
 * - `dropped`: the server left publications out, because this client was too slow.
 * - `overflow`: the iterator was not read fast enough, and its oldest publications were dropped here.
 */
export type LostReason = 'unrecovered' | 'new-epoch' | 'dropped' | 'overflow';

/** Publications that will not come: start over from `snapshot`, or load the state anew. What follows continues `position`. */
export interface LostNotice<Snapshot = unknown> {
  readonly type: 'lost';
  readonly topic: string;
  readonly reason: LostReason;
  readonly position: Position;
  /** The topic's state at `position` or later; absent where the topic has none, and for `overflow`. */
  readonly snapshot?: Snapshot;
  /** First and last offset that will not come, and how many; absent where the epoch changed and nobody can know. */
  readonly from?: number;
  readonly to?: number;
  /** 0 where nothing was published meanwhile. */
  readonly count?: number;
}

/** The last message to a listener. An iterator ends instead, and throws `error` where there is one. */
export interface EndMessage {
  readonly type: 'end';
  readonly topic: string;
  /** A `LiveError` where the server ended it; absent after the client's own `close()`. */
  readonly error?: Error;
}

/** What an iterator yields. */
export type TopicMessage<Data = unknown, Snapshot = unknown> =
  StartMessage<Snapshot> | PublicationMessage<Data> | LostNotice<Snapshot>;

declare const shape: unique symbol;

/** In a topic map, says the type of a topic's snapshots beside that of its publications. It exists as a type only. */
export interface TopicShape<Data, Snapshot> {
  readonly [shape]: readonly [Data, Snapshot];
}

export type DataOf<Entry> = Entry extends TopicShape<infer Data, unknown> ? Data : Entry;
export type SnapshotOf<Entry> = Entry extends TopicShape<unknown, infer Snapshot> ? Snapshot : unknown;

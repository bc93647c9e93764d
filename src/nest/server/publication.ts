import type { JsonText } from '../../core/frame/json-text.js';
import type { PublishedKeyOf, PublishedOf, TopicOf } from '../../protocol/topic-types.js';

/** What `publish` takes besides the topic and the data; each member is optional. */
export interface PublishOptions {
  /** The entity that the publication is about, such as a vehicle's id: 1 to 128 characters. */
  readonly key?: string;
  /**
   * Identifies this publication when a publisher retries: 1 to 128 characters. Repeated on the same
   * topic within five minutes, it publishes nothing; the result has the first publication's
   * position and `suppressed: 'duplicate'`.
   */
  readonly idempotencyKey?: string;
  /**
   * An integer that grows with the published state, for publishers that may overtake each other. If
   * it is not greater than the greatest version of its `key` (or, without a key, of the topic's
   * publications without one), it publishes nothing; the result has the topic's end and
   * `suppressed: 'stale'`. At least the 10,000 most recently published keys of a topic keep their
   * versions. If versions are times, see `maxVersionAheadMs` of `@LiveTopic`.
   */
  readonly version?: number;
  /** Absent, unlike in `RemovalOptions`. */
  readonly remove?: never;
}

/** Options of a removal, whose `data` is `undefined`. */
export interface RemovalOptions extends Omit<PublishOptions, 'remove'> {
  /** The key that is removed. */
  readonly key: string;
  /**
   * Removes the `key`: it leaves the `last-per-key` snapshot, and subscribers get an event with
   * `removed: true` and no data. A late publication with an older version does not restore the key.
   */
  readonly remove: true;
}

/** `PublishOptions`, by the topic's entry in the topic map. */
export interface PublishOptionsOf<Entry> extends PublishOptions {
  /** One of the topic's keys. */
  readonly key?: PublishedKeyOf<Entry> & string;
}
/** `RemovalOptions`, by the topic's entry in the topic map. */
export interface RemovalOptionsOf<Entry> extends RemovalOptions {
  /** One of the topic's keys. */
  readonly key: PublishedKeyOf<Entry> & string;
}

/** The topic and the data of one of `publishMany`. */
export interface LivePublication<Topic extends string = string, Data = unknown> {
  /** The topic to publish to; a declared one if the module has any. */
  readonly topic: Topic;
  /** A JSON value or a `JsonText`; `undefined` with `remove`. */
  readonly data: Data;
}

/** One of `publishMany`, by the topic map. A removal has no data. */
export type PublicationOf<Topics extends object> = {
  readonly [T in TopicOf<Topics>]:
    | (LivePublication<T, PublishedOf<Topics[T]> | JsonText> & KeyedOptions<Topics[T]>)
    | (LivePublication<T, undefined> & RemovalOptionsOf<Topics[T]>);
}[TopicOf<Topics>];
/** Options of a publication with data; with a key if the topic declares that each has one. */
export type KeyedOptions<Entry> =
  undefined extends PublishedKeyOf<Entry>
    ? PublishOptionsOf<Entry>
    : PublishOptionsOf<Entry> & {
        /** A key that the topic declares. */
        readonly key: PublishedKeyOf<Entry> & string;
      };

/** Entry of the personal topic in a topic map. */
export type PersonalEntry<Topics> = Topics extends { readonly $user: infer Entry } ? Entry : unknown;

/** What is published to a topic with these options: nothing, if they remove a key. */
export type PublishData<Entry, Options> = Options extends { readonly remove: true }
  ? undefined
  : PublishedOf<Entry> | JsonText;

/** Key of the types in an entry. It exists for the compiler only. */
export declare const shape: unique symbol;

/**
 * Entry of a topic map that gives the types of a topic. `TopicsOf` makes entries from the server's
 * classes. Exists only as a type.
 *
 * - `Data`: what subscribers receive
 * - `Snapshot`: what they start with
 * - `ClientData`: what clients publish. @default `Data`
 * - `Published`: what the application publishes. @default `Data`
 * - `Key`: the keys that subscribers receive; without `undefined`, each publication has one.
 *   @default `string | undefined`
 * - `PublishedKey`: the keys that are published. @default `Key`
 */
export interface TopicShape<
  Data,
  Snapshot,
  ClientData = Data,
  Published = Data,
  Key extends string | undefined = string | undefined,
  PublishedKey extends string | undefined = Key,
> {
  /** Exists for the compiler only. */
  readonly [shape]: {
    /** What subscribers receive. */
    readonly data: Data;
    /** What subscribers start with. */
    readonly snapshot: Snapshot;
    /** What clients publish. */
    readonly clientData: ClientData;
    /** What the application publishes. */
    readonly published: Published;
    /** Keys that subscribers receive. */
    readonly key: Key;
    /** Keys that are published. */
    readonly publishedKey: PublishedKey;
  };
}

/**
 * In a request map, says what a message of `@LiveHandlers()` is sent with and answered with:
 * `{ 'trip.book': RequestShape<{ tripId: string }, { seat: number }> }`. It exists as a type only.
 */
export interface RequestShape<Data, Answer> {
  /** Exists for the compiler only. */
  readonly [shape]: {
    /** What the request is sent with. */
    readonly data: Data;
    /** What it is answered with. */
    readonly answer: Answer;
  };
}

/** An entry with types of its own. */
export interface AnyShape {
  /** Exists for the compiler only. */
  readonly [shape]: object;
}

/** Type of a member. Inferring or comparing instead of looking it up costs the compiler more. */
export type Field<Types, Name extends PropertyKey> = Name extends keyof Types ? Types[Name] : never;

/** The parameters of `request` behind the type. The data may be left out if the shape has none. */
export type RequestParameters<Entry, Options> = Entry extends AnyShape
  ? undefined extends Field<Entry[typeof shape], 'data'>
    ? [data?: Field<Entry[typeof shape], 'data'>, options?: Options]
    : [data: Field<Entry[typeof shape], 'data'>, options?: Options]
  : [data?: unknown, options?: Options];
/** What the handler of a request answers with, by its entry in the request map. */
export type AnswerOf<Entry> = Entry extends AnyShape ? Field<Entry[typeof shape], 'answer'> : unknown;

/** Topic names of a map from topics to the types of their publications. */
export type TopicOf<Topics extends object> = keyof Topics & string;
/**
 * Entry of a topic in the topic map. It says the same as `Topics[T]`. But as long as the compiler
 * does not know `T`, it takes an inferred type for `unknown`, while it would take `Topics[T]` for
 * the entries of all topics, and compare what is published with each of them.
 */
export type EntryOf<Topics, T extends keyof Topics> = [Topics[T]] extends [infer Entry] ? Entry : never;
/** Data of a topic's publications, by its entry in the topic map. */
export type DataOf<Entry> = Entry extends AnyShape ? Field<Entry[typeof shape], 'data'> : Entry;
/** Snapshots of a topic, by its entry in the topic map; `unknown` without a `TopicShape`. */
export type SnapshotOf<Entry> = Entry extends AnyShape ? Field<Entry[typeof shape], 'snapshot'> : unknown;
/** What clients publish to a topic, by its entry in the topic map; `never` if they may not. */
export type ClientDataOf<Entry> = Entry extends AnyShape ? Field<Entry[typeof shape], 'clientData'> : Entry;
/** What the application publishes to a topic, by its entry in the topic map. */
export type PublishedOf<Entry> = Entry extends AnyShape ? Field<Entry[typeof shape], 'published'> : Entry;
/** Keys of a topic, by its entry in the topic map; with `undefined` if one may be missing. */
export type KeyOf<Entry> = Entry extends AnyShape ? Field<Entry[typeof shape], 'key'> : string | undefined;
/** Keys that are published to a topic, by its entry in the topic map. */
export type PublishedKeyOf<Entry> = Entry extends AnyShape
  ? Field<Entry[typeof shape], 'publishedKey'>
  : string | undefined;
/** The parameters of `publish` behind the data: the options, unless no key is needed. */
export type PublishParameters<Entry, Options> =
  undefined extends PublishedKeyOf<Entry>
    ? [options?: Options]
    : [
        options: Options & {
          /** A key that the topic declares. */
          readonly key: PublishedKeyOf<Entry> & string;
        },
      ];

/** What arrives of a value that is sent as JSON: for instance a string for a `Date`. */
export type JsonOf<T> = T extends unknown
  ? [keyof T] extends [never]
    ? T extends (...args: never[]) => unknown
      ? never
      : T
    : symbol extends keyof T // `any`
      ? T
      : string extends keyof T
        ? JsonFields<T>
        : 'toJSON' extends keyof T
          ? T extends { toJSON(): infer R }
            ? R
            : never
          : JsonFields<T>
  : never;
/** What arrives of each field. Asking only for keys lets the compiler resolve fields on demand. */
export type JsonFields<T> = { [K in keyof T]: JsonField<T[K]> };
/** What arrives of one field. */
export type JsonField<T> = T extends string | number | boolean | null | undefined ? T : JsonOf<T>;

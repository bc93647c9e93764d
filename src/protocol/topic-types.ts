declare const shape: unique symbol;

/**
 * Entry of a topic map that gives the types of a topic. `TopicsOf` makes entries from the server's
 * classes. Exists only as a type.
 *
 * - `Data`: what subscribers receive
 * - `Snapshot`: what they start with
 * - `ClientData`: what clients publish. @default `Data`
 * - `Published`: what the application publishes. @default `Data`
 */
export interface TopicShape<Data, Snapshot, ClientData = Data, Published = Data> {
  /** Exists for the compiler only. */
  readonly [shape]: readonly [Data, Snapshot, ClientData, Published];
}

/**
 * In a request map, says what a message of `@LiveHandlers()` is sent with and answered with:
 * `{ 'trip.book': RequestShape<{ tripId: string }, { seat: number }> }`. It exists as a type only.
 */
export interface RequestShape<Data, Answer> {
  /** Exists for the compiler only. */
  readonly [shape]: readonly [Data, Answer];
}

/** The parameters of `request` behind the type: no data is to be said where the shape has none. */
export type RequestParameters<Entry, Options> =
  Entry extends RequestShape<infer Data, unknown>
    ? undefined extends Data
      ? [data?: Data, options?: Options]
      : [data: Data, options?: Options]
    : [data?: unknown, options?: Options];
/** What the handler of a request answers with, by its entry in the request map. */
export type AnswerOf<Entry> = Entry extends RequestShape<unknown, infer Answer> ? Answer : unknown;

/** Topic names of a map from topics to the types of their publications. */
export type TopicOf<Topics extends object> = keyof Topics & string;
/** Data of a topic's publications, by its entry in the topic map. */
export type DataOf<Entry> = Entry extends TopicShape<infer Data, unknown, unknown, unknown> ? Data : Entry;
/** Snapshots of a topic, by its entry in the topic map; `unknown` without a `TopicShape`. */
export type SnapshotOf<Entry> =
  Entry extends TopicShape<unknown, infer Snapshot, unknown, unknown> ? Snapshot : unknown;
/** What clients publish to a topic, by its entry in the topic map; `never` if they may not. */
export type ClientDataOf<Entry> =
  Entry extends TopicShape<unknown, unknown, infer ClientData, unknown> ? ClientData : Entry;
/** What the application publishes to a topic, by its entry in the topic map. */
export type PublishedOf<Entry> =
  Entry extends TopicShape<unknown, unknown, unknown, infer Published> ? Published : Entry;

/** What arrives of a value that is sent as JSON: for instance a string for a `Date`. */
export type JsonOf<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends { toJSON(): infer R }
    ? R
    : T extends (...args: never[]) => unknown
      ? never
      : T extends object
        ? { [K in keyof T]: JsonOf<T[K]> }
        : T;

import type { DataOf, KeyOf, TopicOf } from '../protocol/topic-types.js';
import type { LiveClient } from './live-client.js';
import type { TopicMessage } from './topic-messages.js';
import { type LiveView, View, type ViewOptions } from './view.js';

/** Options of `collection`. */
export interface CollectionOptions<Value = unknown, Key extends string = string> extends ViewOptions {
  /**
   * The keys and values of a snapshot, for a topic with a snapshot of the application's own.
   * @default the fields of the snapshot object, as of `snapshot: 'last-per-key'`
   */
  readonly entries?: ((snapshot: never) => Iterable<readonly [Key, Value]>) | undefined;
}

/** What changed in a collection. */
export interface CollectionChange<Key extends string = string> {
  /** Keys that were set or removed. Empty if only `stale` or `error` changed. */
  readonly keys: ReadonlySet<Key>;
}

/** The keys of a topic, each with its newest data. */
export interface Collection<Value = unknown, Key extends string = string>
  extends LiveView<CollectionChange<Key>>, Iterable<readonly [Key, Value]> {
  /** Number of keys. */
  readonly size: number;
  /** The newest data of a key; `undefined` without the key. */
  get(key: Key): Value | undefined;
  /** All keys with their data. */
  entries(): IterableIterator<[Key, Value]>;
}

/**
 * Follows a topic whose publications have keys, as a map that is always whole. A reconnect, a loss
 * or a new stream changes it in one step: until the new state is there, the old one stays. Reads
 * see each publication at once; `onChange` reports them together, by default once a frame.
 * Publications without a key do not change it.
 *
 * The topic needs a snapshot: `last-per-key`, or one of the application.
 * @throws TypeError for an invalid topic name
 * @throws RangeError for an invalid `maxRate`
 * @throws LiveClientError `closed`
 */
export function collection<TopicMap extends object, RequestMap extends object, T extends TopicOf<TopicMap>>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T,
  options: CollectionOptions<DataOf<TopicMap[T]>, KeyOf<TopicMap[T]> & string> = {},
): Collection<DataOf<TopicMap[T]>, KeyOf<TopicMap[T]> & string> {
  const untyped = client as unknown as LiveClient;
  return new KeyedView<DataOf<TopicMap[T]>>(untyped, topic, options) as never;
}

/** The collection. Exported for tests that plant mistakes in it. */
export class KeyedView<Value> extends View<CollectionChange> implements Collection<Value> {
  readonly #entriesOf: (snapshot: unknown) => Iterable<readonly [string, Value]>;
  #values = new Map<string, Value>();
  #changed = new Set<string>();

  constructor(client: LiveClient, topic: string, options: CollectionOptions<Value>) {
    super(topic, options);
    this.#entriesOf = (options.entries ?? Object.entries) as (
      snapshot: unknown,
    ) => Iterable<readonly [string, Value]>;
    this.open(client, options);
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries();
  }

  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return this.entries();
  }

  protected override take(message: TopicMessage): boolean | undefined {
    if (message.type !== 'event') {
      // Before the first publication there is no snapshot, and no key.
      const isKnown = 'snapshot' in message || message.position.offset === 0;
      if (isKnown) this.#startFrom(message.snapshot ?? {});
      return isKnown;
    }
    const { key } = message;
    if (key === undefined) return undefined;
    this.#changed.add(key);
    if (message.removed) this.#values.delete(key);
    else this.#values.set(key, message.data as Value);
    return undefined;
  }

  protected override change(): CollectionChange {
    const keys = this.#changed;
    this.#changed = new Set();
    return { keys };
  }

  #startFrom(snapshot: unknown): void {
    const before = this.#values;
    const values = new Map(this.#entriesOf(snapshot));
    for (const key of before.keys()) if (!values.has(key)) this.#changed.add(key);
    for (const [key, value] of values) {
      const known = before.get(key);
      // What did not change stays the same object.
      if (known !== undefined && isSame(known, value)) values.set(key, known);
      else this.#changed.add(key);
    }
    this.#values = values;
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

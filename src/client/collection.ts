import type { Entry, EntryLimits } from '../protocol/messages.js';
import type { DataOf, EntryOf, KeyOf, TopicOf } from '../protocol/topic-types.js';
import { Alarm } from './alarm.js';
import type { LiveClient } from './live-client.js';
import type { Platform } from './platform.js';
import { lists } from './entry-list.js';
import { sizeOf } from './pending.js';
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
  options: CollectionOptions<DataOf<EntryOf<TopicMap, T>>, KeyOf<EntryOf<TopicMap, T>> & string> = {},
): Collection<DataOf<EntryOf<TopicMap, T>>, KeyOf<EntryOf<TopicMap, T>> & string> {
  const untyped = client as unknown as LiveClient;
  return new KeyedView<DataOf<EntryOf<TopicMap, T>>>(untyped, topic, options) as never;
}

/** When a key was published last, by the clock of this client, and the bytes of its data. */
type Place = readonly [atMs: number, bytes: number];

/** The collection. Exported for tests that plant mistakes in it. */
export class KeyedView<Value> extends View<CollectionChange> implements Collection<Value> {
  readonly #entriesOf: CollectionOptions<Value>['entries'];
  readonly #alarm: Alarm;
  readonly #platform: Platform;
  #values = new Map<string, Value>();
  #changed = new Set<string>();
  /** Limits that the server has for the keys. Absent: they are unknown. */
  #limits: EntryLimits | undefined;
  /** The keys in the order of their last publications, while the limits are known. */
  readonly #places = new Map<string, Place>();
  /** Bytes of all of them. */
  #bytes = 0;

  constructor(client: LiveClient, topic: string, options: CollectionOptions<Value>) {
    super(topic, options);
    this.#entriesOf = options.entries;
    this.#platform = client['session'].platform;
    this.#alarm = new Alarm(this.#platform);
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
    if (message.removed) this.#drop(key);
    else this.#set(key, message.data as Value, 0);
    this.trim();
    return undefined;
  }

  protected override change(): CollectionChange {
    const keys = this.#changed;
    this.#changed = new Set();
    return { keys };
  }

  protected override end(error?: Error): void {
    this.#alarm.clear();
    super.end(error);
  }

  #startFrom(snapshot: object): void {
    const before = this.#values;
    const list = this.#entriesOf ? undefined : lists.get(snapshot);
    this.#limits = list?.entries;
    this.#values = new Map();
    this.#places.clear();
    this.#bytes = 0;
    this.#alarm.clear();
    const entries = list?.snapshot ?? (this.#entriesOf ?? Object.entries)(snapshot as never);
    for (const [key, value, ageMs = NaN] of entries as Iterable<Entry<Value>>) {
      const known = before.get(key);
      // What did not change stays the same object.
      const isKnown = known !== undefined && isSame(known, value);
      if (!isKnown) this.#changed.add(key);
      this.#set(key, isKnown ? known : value, ageMs);
    }
    for (const key of before.keys()) if (!this.#values.has(key)) this.#changed.add(key);
    this.trim();
  }

  #set(key: string, value: Value, ageMs: number): void {
    this.#values.set(key, value);
    this.#place(key, this.#limits && [this.#platform.now() - ageMs, sizeOf(JSON.stringify(value))]);
  }

  #drop(key: string): void {
    this.#changed.add(key);
    this.#values.delete(key);
    this.#place(key);
  }

  /** Puts the key at the end, or takes it out. */
  #place(key: string, place?: Place): void {
    this.#bytes += (place?.[1] ?? 0) - (this.#places.get(key)?.[1] ?? 0);
    this.#places.delete(key);
    if (place) this.#places.set(key, place);
  }

  /** Drops what the server no longer has: keys beyond its limits, and too old ones. [L-6.11] */
  protected trim(): void {
    const { maxKeys = 0, maxBytes = 0, maxKeyAgeMs = 0 } = this.#limits ?? {};
    const places = this.#places;
    for (const [key, [atMs]] of places) {
      const leftMs = maxKeyAgeMs && atMs + maxKeyAgeMs - this.#platform.now();
      if (leftMs < 0 || places.size > maxKeys || (this.#bytes > maxBytes && places.size > 1)) {
        this.#drop(key);
        this.tell();
      } else if (leftMs >= 0) {
        // The server keeps a key until it is older than the limit.
        if (maxKeyAgeMs && !this.#alarm.armed) this.#alarm.set(leftMs + 1, () => this.trim());
        break;
      }
    }
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

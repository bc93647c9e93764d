/**
 * Stores for Svelte 4 and 5. They follow Svelte's store contract, and need no package.
 *
 * @packageDocumentation
 * @module nestjs-live/svelte
 */
import type { LiveClient } from '../client/live-client.js';
import type { LiveStatus } from '../client/status.js';
import type { DataOf, EntryOf, SnapshotOf, TopicOf } from '../protocol/topic-types.js';
import { observe } from './observe.js';
import type { LiveMember, LiveResult, NewestOf, Store } from './store.js';
import { collectionStore, newestStore, presenceStore, statusStore } from './stores.js';
import type { SharedCollectionOptions, SharedStateOptions } from './stores.js';

export type { LiveMember, LiveResult, NewestOf } from './store.js';
export type { SharedCollectionOptions, SharedStateOptions } from './stores.js';

/** A store of Svelte: `$store` in a component, or `fromStore(store).current`. */
export interface LiveReadable<Value> {
  /** Calls `run` with the value now and each later one, until the returned function is called. */
  subscribe(this: void, run: (value: Value) => void): () => void;
}

// Svelte subscribes to stores while it renders a page on a server, which must not connect.
const readable = <Value>(store: Store<unknown>): LiveReadable<Value> => ({
  subscribe(run) {
    if ('document' in globalThis) return observe(store, run as (value: unknown) => void);
    run(store.initial as Value);
    return () => {};
  },
});

/**
 * The keys of a topic, each with its newest data, as `collection` keeps them. Changes at most once
 * a frame. All stores of a topic share one collection. Without a topic it is empty.
 */
export function liveCollection<
  TopicMap extends object,
  RequestMap extends object,
  T extends TopicOf<TopicMap>,
>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T | undefined,
  options?: SharedCollectionOptions<DataOf<EntryOf<TopicMap, T>>>,
): LiveReadable<LiveResult<ReadonlyMap<string, DataOf<EntryOf<TopicMap, T>>>>> {
  return readable(collectionStore(client as unknown as LiveClient, topic, options));
}

/** A state that `apply` makes of the publications; otherwise like `liveCollection`. */
export function liveState<
  TopicMap extends object,
  RequestMap extends object,
  T extends TopicOf<TopicMap>,
  State,
>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T | undefined,
  options: SharedStateOptions<State, DataOf<EntryOf<TopicMap, T>>, SnapshotOf<EntryOf<TopicMap, T>>>,
): LiveReadable<LiveResult<State>>;
/** The newest data of a topic, or its snapshot; otherwise like `liveCollection`. */
export function liveState<TopicMap extends object, RequestMap extends object, T extends TopicOf<TopicMap>>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T | undefined,
  options?: Pick<SharedCollectionOptions, 'maxRate'>,
): LiveReadable<LiveResult<NewestOf<EntryOf<TopicMap, T>> | undefined>>;
export function liveState(
  client: unknown,
  topic: string | undefined,
  options?: object,
): LiveReadable<LiveResult<unknown>> {
  return readable(newestStore(client as LiveClient, topic, options));
}

/** The members of a topic that declares presence, ordered by `id`. Name the topic itself. */
export function livePresence<TopicMap extends object, RequestMap extends object>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: TopicOf<TopicMap> | undefined,
): LiveReadable<LiveResult<readonly LiveMember[]>> {
  return readable(presenceStore(client as unknown as LiveClient, topic));
}

/** The state of the connection. Changes at most once a frame. */
export function liveStatus<TopicMap extends object, RequestMap extends object>(
  client: LiveClient<TopicMap, RequestMap>,
): LiveReadable<LiveStatus> {
  return readable(statusStore(client as unknown as LiveClient));
}

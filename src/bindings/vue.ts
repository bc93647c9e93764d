/**
 * Composables for Vue 3. Components that show the same topic share one subscription.
 *
 * @packageDocumentation
 * @module nestjs-live/vue
 */
import type { App, InjectionKey, MaybeRefOrGetter, ShallowRef } from 'vue';
import { getCurrentInstance, inject, onMounted, shallowRef, toValue, watch } from 'vue';
import type { LiveClient } from '../client/live-client.js';
import type { LiveStatus } from '../client/status.js';
import type { DataOf, EntryOf, SnapshotOf, TopicOf } from '../protocol/topic-types.js';
import { observe } from './observe.js';
import type { LiveMember, LiveResult, NewestOf, Publish, Store } from './store.js';
import type { RegisteredRequests, RegisteredTopics } from './store.js';
import { collectionStore, newestStore, presenceStore, statusStore } from './stores.js';
import type { SharedCollectionOptions, SharedStateOptions } from './stores.js';

export type { LiveMember, LiveResult, NewestOf, Publish } from './store.js';
export type { Registered, RegisteredRequests, RegisteredTopics } from './store.js';
export type { SharedCollectionOptions, SharedStateOptions } from './stores.js';

/**
 * Declares the type of the application's client, so that the composables know its topics:
 * `declare module 'nestjs-live/vue' { interface Register { client: typeof live } }`
 */
export interface Register {}

/** The topic map of the registered client. */
export type Topics = RegisteredTopics<Register>;
/** The request map of the registered client. */
export type Requests = RegisteredRequests<Register>;

const key: InjectionKey<LiveClient> = Symbol('nestjs-live');

/** A plugin that gives the client to all components: `app.use(livePlugin(live))`. */
export function livePlugin<TopicMap extends object, RequestMap extends object>(
  client: LiveClient<TopicMap, RequestMap>,
): {
  /** Vue calls it. */
  install(app: App): void;
} {
  return { install: (app) => void app.provide(key, client as unknown as LiveClient) };
}

/**
 * The client of the application, for what has no composable.
 * @throws Error without `livePlugin`
 */
export function useClient(): LiveClient<Topics, Requests> {
  return untyped() as unknown as LiveClient<Topics, Requests>;
}

function untyped(): LiveClient {
  const client = inject(key, undefined);
  if (client === undefined) throw new Error('The application does not use livePlugin(client)');
  return client;
}

/** In a component from its mount on, which a server does not reach; elsewhere at once. */
function useStore<Value>(make: () => Store<unknown>): Readonly<ShallowRef<Value>> {
  const value = shallowRef(make().initial as Value);
  const start = (): unknown =>
    watch(make, (store, _, onCleanup) => onCleanup(observe(store, (now) => (value.value = now as Value))), {
      immediate: true,
    });
  if (getCurrentInstance() === null) start();
  else onMounted(start);
  return value;
}

/**
 * The keys of a topic, each with its newest data, as `collection` keeps them. Changes at most once
 * a frame. Without a topic it is empty.
 */
export function useCollection<T extends TopicOf<Topics>>(
  topic: MaybeRefOrGetter<T | undefined>,
  options?: SharedCollectionOptions<DataOf<EntryOf<Topics, T>>>,
): Readonly<ShallowRef<LiveResult<ReadonlyMap<string, DataOf<EntryOf<Topics, T>>>>>> {
  const client = untyped();
  return useStore(() => collectionStore(client, toValue(topic), options));
}

/** A state that `apply` makes of the publications, as `state` keeps it. */
export function useLive<T extends TopicOf<Topics>, State>(
  topic: MaybeRefOrGetter<T | undefined>,
  options: SharedStateOptions<State, DataOf<EntryOf<Topics, T>>, SnapshotOf<EntryOf<Topics, T>>>,
): Readonly<ShallowRef<LiveResult<State>>>;
/** The newest data of a topic, or its snapshot; `undefined` before there is any. */
export function useLive<T extends TopicOf<Topics>>(
  topic: MaybeRefOrGetter<T | undefined>,
  options?: Pick<SharedCollectionOptions, 'maxRate'>,
): Readonly<ShallowRef<LiveResult<NewestOf<EntryOf<Topics, T>> | undefined>>>;
export function useLive(
  topic: MaybeRefOrGetter<string | undefined>,
  options?: object,
): Readonly<ShallowRef<LiveResult<unknown>>> {
  const client = untyped();
  return useStore(() => newestStore(client, toValue(topic), options));
}

/** The state of the connection. Changes at most once a frame. */
export function useStatus(): Readonly<ShallowRef<LiveStatus>> {
  const client = untyped();
  return useStore(() => statusStore(client));
}

/** The members of a topic that declares presence, ordered by `id`. Name the topic itself. */
export function usePresence<T extends TopicOf<Topics>>(
  topic: MaybeRefOrGetter<T | undefined>,
): Readonly<ShallowRef<LiveResult<readonly LiveMember[]>>> {
  const client = untyped();
  return useStore(() => presenceStore(client, toValue(topic)));
}

/** A function that publishes to the topic. */
export function usePublish<T extends TopicOf<Topics>>(
  topic: MaybeRefOrGetter<T>,
): Publish<EntryOf<Topics, T>> {
  const client = untyped();
  return ((...args: [never]) => client.publish(toValue(topic), ...args)) as Publish<EntryOf<Topics, T>>;
}

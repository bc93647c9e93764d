/**
 * Observables for RxJS 7.
 *
 * @packageDocumentation
 * @module nestjs-live/rxjs
 */
import { Observable } from 'rxjs';
import type { LiveClient } from '../client/live-client.js';
import type { SubscribeOptions } from '../client/live-client.options.js';
import type { LiveStatus } from '../client/status.js';
import type { MessageOf } from '../client/topic-messages.js';
import type { DataOf, EntryOf, SnapshotOf, TopicOf } from '../protocol/topic-types.js';
import { observe } from './observe.js';
import type { LiveMember, LiveResult, NewestOf, Store } from './store.js';
import { collectionStore, newestStore, presenceStore, statusStore } from './stores.js';
import type { SharedCollectionOptions, SharedStateOptions } from './stores.js';

export type { LiveMember, LiveResult, NewestOf } from './store.js';
export type { SharedCollectionOptions, SharedStateOptions } from './stores.js';

/**
 * The messages of a topic. It is cold: each subscriber begins with its own `start`. All of a topic
 * share one subscription on the server, which ends with the last. Errors if the server ends it or
 * the client is closed for good by it, and completes after `client.close()`.
 */
export function fromTopic<TopicMap extends object, RequestMap extends object, T extends TopicOf<TopicMap>>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T,
  options?: SubscribeOptions,
): Observable<MessageOf<EntryOf<TopicMap, T>>> {
  return new Observable((subscriber) => {
    const subscription = client.subscribe(
      topic,
      (message) => {
        if (message.type !== 'end') subscriber.next(message);
        else if (message.error) subscriber.error(message.error);
        else subscriber.complete();
      },
      options,
    );
    return () => subscription.unsubscribe();
  });
}

const fromStore = <Value>(store: Store<unknown>): Observable<Value> =>
  new Observable((subscriber) => observe(store, (value) => subscriber.next(value as Value)));

/**
 * The keys of a topic, each with its newest data: the result now, and each other one, at most one a
 * frame. All subscribers share one collection, which outlives the last by a second.
 */
export function fromCollection<
  TopicMap extends object,
  RequestMap extends object,
  T extends TopicOf<TopicMap>,
>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T,
  options?: SharedCollectionOptions<DataOf<EntryOf<TopicMap, T>>>,
): Observable<LiveResult<ReadonlyMap<string, DataOf<EntryOf<TopicMap, T>>>>> {
  return fromStore(collectionStore(client as unknown as LiveClient, topic, options));
}

/** A state that `apply` makes of the publications; otherwise like `fromCollection`. */
export function fromState<
  TopicMap extends object,
  RequestMap extends object,
  T extends TopicOf<TopicMap>,
  State,
>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T,
  options: SharedStateOptions<State, DataOf<EntryOf<TopicMap, T>>, SnapshotOf<EntryOf<TopicMap, T>>>,
): Observable<LiveResult<State>>;
/** The newest data of a topic, or its snapshot; otherwise like `fromCollection`. */
export function fromState<TopicMap extends object, RequestMap extends object, T extends TopicOf<TopicMap>>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T,
  options?: Pick<SharedCollectionOptions, 'maxRate'>,
): Observable<LiveResult<NewestOf<EntryOf<TopicMap, T>> | undefined>>;
export function fromState(client: unknown, topic: string, options?: object): Observable<LiveResult<unknown>> {
  return fromStore(newestStore(client as LiveClient, topic, options));
}

/** The members of a topic that declares presence, ordered by `id`. Name the topic itself. */
export function fromPresence<TopicMap extends object, RequestMap extends object>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: TopicOf<TopicMap>,
): Observable<LiveResult<readonly LiveMember[]>> {
  return fromStore(presenceStore(client as unknown as LiveClient, topic));
}

/** The state of the connection: now, and after each change, at most one a frame. */
export function fromStatus<TopicMap extends object, RequestMap extends object>(
  client: LiveClient<TopicMap, RequestMap>,
): Observable<LiveStatus> {
  return fromStore(statusStore(client as unknown as LiveClient));
}

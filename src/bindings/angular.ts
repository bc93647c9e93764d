/**
 * Signals for Angular 20 and later. Components that show the same topic share one subscription.
 *
 * @packageDocumentation
 * @module nestjs-live/angular
 */
import type { Signal, ValueProvider } from '@angular/core';
import { DestroyRef, effect, inject, InjectionToken, PLATFORM_ID, signal } from '@angular/core';
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
 * Declares the type of the application's client, so that the functions know its topics:
 * `declare module 'nestjs-live/angular' { interface Register { client: typeof live } }`
 */
export interface Register {}

/** The topic map of the registered client. */
export type Topics = RegisteredTopics<Register>;
/** The request map of the registered client. */
export type Requests = RegisteredRequests<Register>;

/** A topic, or a function that reads signals and returns one; `undefined` subscribes to nothing. */
export type TopicInput<T> = T | undefined | (() => T | undefined);

const liveClient = new InjectionToken<LiveClient>('client of nestjs-live');

/** Gives the client to the application, in its `providers`. */
export function provideLive<TopicMap extends object, RequestMap extends object>(
  client: LiveClient<TopicMap, RequestMap>,
): ValueProvider {
  return { provide: liveClient, useValue: client };
}

/**
 * The client of the application, for what has no function here. Like all of them, call it in an
 * injection context: a constructor, or the initializer of a field.
 * @throws Error without `provideLive`
 */
export function injectClient(): LiveClient<Topics, Requests> {
  return inject(liveClient) as unknown as LiveClient<Topics, Requests>;
}

/** Until the component or service is destroyed. A server never subscribes. */
function signalOf<Value>(
  make: (topic: string | undefined) => Store<unknown>,
  topic: TopicInput<string>,
): Signal<Value> {
  const isFunction = typeof topic === 'function';
  // An input has no value yet, so the function is called later.
  const store = make(isFunction ? undefined : topic);
  const value = signal(store.initial as Value);
  const follow = (it: Store<unknown>): (() => void) => observe(it, (now) => value.set(now as Value));
  if (inject(PLATFORM_ID) !== 'server') {
    if (isFunction) effect((onCleanup) => onCleanup(follow(make(topic()))));
    else inject(DestroyRef).onDestroy(follow(store));
  }
  return value.asReadonly();
}

const injectUntyped = (): LiveClient => inject(liveClient);

/**
 * The keys of a topic, each with its newest data, as `collection` keeps them. Changes at most once
 * a frame. Without a topic it is empty.
 */
export function injectCollection<T extends TopicOf<Topics>>(
  topic: TopicInput<T>,
  options?: SharedCollectionOptions<DataOf<EntryOf<Topics, T>>>,
): Signal<LiveResult<ReadonlyMap<string, DataOf<EntryOf<Topics, T>>>>> {
  const client = injectUntyped();
  return signalOf((name) => collectionStore(client, name, options), topic);
}

/** A state that `apply` makes of the publications, as `state` keeps it. */
export function injectLive<T extends TopicOf<Topics>, State>(
  topic: TopicInput<T>,
  options: SharedStateOptions<State, DataOf<EntryOf<Topics, T>>, SnapshotOf<EntryOf<Topics, T>>>,
): Signal<LiveResult<State>>;
/** The newest data of a topic, or its snapshot; `undefined` before there is any. */
export function injectLive<T extends TopicOf<Topics>>(
  topic: TopicInput<T>,
  options?: Pick<SharedCollectionOptions, 'maxRate'>,
): Signal<LiveResult<NewestOf<EntryOf<Topics, T>> | undefined>>;
export function injectLive(topic: TopicInput<string>, options?: object): Signal<LiveResult<unknown>> {
  const client = injectUntyped();
  return signalOf((name) => newestStore(client, name, options), topic);
}

/** The state of the connection. Changes at most once a frame. */
export function injectStatus(): Signal<LiveStatus> {
  const client = injectUntyped();
  return signalOf(() => statusStore(client), undefined);
}

/** The members of a topic that declares presence, ordered by `id`. Name the topic itself. */
export function injectPresence<T extends TopicOf<Topics>>(
  topic: TopicInput<T>,
): Signal<LiveResult<readonly LiveMember[]>> {
  const client = injectUntyped();
  return signalOf((name) => presenceStore(client, name), topic);
}

/** A function that publishes to the topic. */
export function injectPublish<T extends TopicOf<Topics>>(topic: T): Publish<EntryOf<Topics, T>> {
  const client = injectUntyped();
  return ((...args: [never]) => client.publish(topic, ...args)) as Publish<EntryOf<Topics, T>>;
}

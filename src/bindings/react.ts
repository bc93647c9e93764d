/**
 * Hooks for React 18 and 19. Components that show the same topic share one subscription.
 *
 * @packageDocumentation
 * @module nestjs-live/react
 */
'use client';

import { createContext, createElement, type ReactElement, type ReactNode } from 'react';
import { useCallback, useContext, useMemo, useSyncExternalStore } from 'react';
import type { LiveClient } from '../client/live-client.js';
import type { LiveStatus } from '../client/status.js';
import type { DataOf, EntryOf, SnapshotOf, TopicOf } from '../protocol/topic-types.js';
import type { SharedStore } from './shared.js';
import type { LiveMember, LiveResult, NewestOf, Publish, Store } from './store.js';
import type { RegisteredRequests, RegisteredTopics } from './store.js';
import { collectionStore, newestStore, presenceStore, statusStore } from './stores.js';
import type { SharedCollectionOptions, SharedStateOptions } from './stores.js';

export type { LiveMember, LiveResult, NewestOf, Publish } from './store.js';
export type { Registered, RegisteredRequests, RegisteredTopics } from './store.js';
export type { SharedCollectionOptions, SharedStateOptions } from './stores.js';

/**
 * Declares the type of the application's client, so that the hooks know its topics:
 * `declare module 'nestjs-live/react' { interface Register { client: typeof live } }`
 */
export interface Register {}

/** The topic map of the registered client. */
export type Topics = RegisteredTopics<Register>;
/** The request map of the registered client. */
export type Requests = RegisteredRequests<Register>;

/** Options of every hook that shows a topic. */
export interface SuspenseOption {
  /**
   * Suspends the component until the state is whole, and throws its error to the error boundary.
   * Has no effect on a server and during hydration.
   * @default false
   */
  readonly suspense?: boolean | undefined;
}

const Context = createContext<LiveClient | undefined>(undefined);

/** Gives the client to the hooks in the components below. It neither opens nor closes it. */
export function LiveProvider<TopicMap extends object, RequestMap extends object>(props: {
  /** The application's client, usually created at module scope. */
  readonly client: LiveClient<TopicMap, RequestMap>;
  /** The components that use it. */
  readonly children?: ReactNode;
}): ReactElement {
  // In React 18 the context itself is no provider.
  return createElement(Context.Provider, { value: props.client as unknown as LiveClient }, props.children);
}

/**
 * The client of the nearest `LiveProvider`, for what has no hook.
 * @throws Error without a `LiveProvider`
 */
export function useClient(): LiveClient<Topics, Requests> {
  return useUntyped() as unknown as LiveClient<Topics, Requests>;
}

function useUntyped(): LiveClient {
  const client = useContext(Context);
  if (client === undefined) throw new Error('There is no <LiveProvider client={…}> around this component');
  return client;
}

function useStore<Value>({ subscribe, get, initial }: Store<Value>): Value {
  const following = useCallback(
    (changed: () => void) => {
      const stop = subscribe(changed);
      // React may not look for a change between a render and its subscribe (react/react#35550).
      changed();
      return stop;
    },
    [subscribe],
  );
  return useSyncExternalStore(following, get, () => initial);
}

const isClient: Store<boolean> = { initial: false, get: () => true, subscribe: () => () => {} };

/** Its value is kept for as long as the result: `select` may return a new object each time. */
function selected<Result, Selected>(
  { initial, get, subscribe }: Store<Result>,
  select: (result: Result) => Selected,
): Store<Selected> {
  let from = initial;
  let value = select(initial);
  return {
    initial: value,
    get() {
      const result = get();
      if (result !== from) value = select((from = result));
      return value;
    },
    subscribe,
  };
}

function useShared(
  store: SharedStore<unknown>,
  { suspense, select }: SuspenseOption & { readonly select?: (result: never) => unknown },
): unknown {
  const may = useStore(isClient);
  const value = useStore<unknown>(
    useMemo(
      () => (select ? selected<never, unknown>(store as Store<never>, select) : store),
      [store, select],
    ),
  );
  const { ready, error } = store.get();
  if (suspense && may && !ready && store.settled) throw error ?? store.settled();
  return value;
}

/** What `select` returns of the keys of a topic. Renders only if that is another value. */
export function useCollection<T extends TopicOf<Topics>, Selected>(
  topic: T | undefined,
  options: SharedCollectionOptions<DataOf<EntryOf<Topics, T>>> &
    SuspenseOption & {
      /** Returns what the component shows. Values are compared with `Object.is`. */
      readonly select: (result: LiveResult<ReadonlyMap<string, DataOf<EntryOf<Topics, T>>>>) => Selected;
    },
): Selected;
/**
 * The keys of a topic, each with its newest data, as `collection` keeps them. Renders at most once
 * a frame. Without a topic it is empty.
 */
export function useCollection<T extends TopicOf<Topics>>(
  topic: T | undefined,
  options?: SharedCollectionOptions<DataOf<EntryOf<Topics, T>>> & SuspenseOption,
): LiveResult<ReadonlyMap<string, DataOf<EntryOf<Topics, T>>>>;
export function useCollection(
  topic: string | undefined,
  options: SharedCollectionOptions & SuspenseOption & { readonly select?: (result: never) => unknown } = {},
): unknown {
  const client = useUntyped();
  const store = useMemo(() => collectionStore(client, topic, options), [client, topic, options.maxRate]);
  return useShared(store, options);
}

/** A state that `apply` makes of the publications, as `state` keeps it. */
export function useLive<T extends TopicOf<Topics>, State>(
  topic: T | undefined,
  options: SharedStateOptions<State, DataOf<EntryOf<Topics, T>>, SnapshotOf<EntryOf<Topics, T>>> &
    SuspenseOption,
): LiveResult<State>;
/**
 * The newest data of a topic, or its snapshot; `undefined` before there is any. Renders at most
 * once a frame.
 */
export function useLive<T extends TopicOf<Topics>>(
  topic: T | undefined,
  options?: Pick<SharedCollectionOptions, 'maxRate'> & SuspenseOption,
): LiveResult<NewestOf<EntryOf<Topics, T>> | undefined>;
export function useLive(
  topic: string | undefined,
  options: Partial<SharedStateOptions<unknown>> & SuspenseOption = {},
): unknown {
  const client = useUntyped();
  const { maxRate, name } = options;
  const store = useMemo(() => newestStore(client, topic, options), [client, topic, maxRate, name]);
  return useShared(store, options);
}

/** The state of the connection. Renders at most once a frame. */
export function useStatus(): LiveStatus {
  const client = useUntyped();
  return useStore(useMemo(() => statusStore(client), [client]));
}

/** The members of a topic that declares presence, ordered by `id`. Name the topic itself. */
export function usePresence<T extends TopicOf<Topics>>(
  topic: T | undefined,
  options: SuspenseOption = {},
): LiveResult<readonly LiveMember[]> {
  const client = useUntyped();
  const store = useMemo(() => presenceStore(client, topic), [client, topic]);
  return useShared(store, options) as LiveResult<readonly LiveMember[]>;
}

/** A function that publishes to the topic, the same one at every render. */
export function usePublish<T extends TopicOf<Topics>>(topic: T): Publish<EntryOf<Topics, T>> {
  const client = useUntyped();
  return useCallback(
    (...args: readonly unknown[]) =>
      (client.publish as (...all: readonly unknown[]) => unknown)(topic, ...args),
    [client, topic],
  ) as Publish<EntryOf<Topics, T>>;
}

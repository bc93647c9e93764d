import { collection, type CollectionOptions } from '../client/collection.js';
import type { LiveClient } from '../client/live-client.js';
import { state, type StateOptions } from '../client/live-state.js';
import type { LiveStatus } from '../client/status.js';
import { dropFromFrame, perFrame } from './frame.js';
import { shared, type SharedStore } from './shared.js';
import type { LiveMember, LiveResult, Store } from './store.js';

/** Options of a shared collection. The frame is that of all components. */
export type SharedCollectionOptions<Value = unknown> = Omit<CollectionOptions<Value>, 'schedule'>;

/** Options of a shared state. */
export interface SharedStateOptions<State, Data = unknown, Snapshot = unknown> extends Omit<
  StateOptions<State, Data, Snapshot>,
  'schedule'
> {
  /**
   * Tells states of one topic apart. Components with the same topic, name and `maxRate` share one
   * state, with the options of the first.
   * @default ''
   */
  readonly name?: string | undefined;
}

const before = <Data>(data: Data): LiveResult<Data> => ({
  data,
  ready: false,
  stale: true,
  error: undefined,
});
const noKeys = before<ReadonlyMap<string, unknown>>(new Map());
/** Without a topic nothing is opened. */
function idle<Data>(initial: LiveResult<Data>): SharedStore<Data> {
  return { initial, get: () => initial, subscribe: () => () => {} };
}

/** The collection of a topic. */
export function collectionStore(
  client: LiveClient,
  topic: string | undefined,
  options: SharedCollectionOptions = {},
): SharedStore<ReadonlyMap<string, unknown>> {
  if (topic === undefined) return idle(noKeys);
  return shared(client, `keys ${topic} ${options.maxRate}`, noKeys, () => {
    const view = collection(client, topic, { ...options, schedule: perFrame });
    return { view, read: () => new Map(view) };
  });
}

/** The state of a topic. */
export function stateStore<State>(
  client: LiveClient,
  topic: string | undefined,
  options: SharedStateOptions<State>,
): SharedStore<State> {
  const { initial, name = '', maxRate } = options;
  const first = before(
    typeof initial === 'function' ? (initial as (snapshot: unknown) => State)(undefined) : initial,
  );
  if (topic === undefined) return idle(first);
  return shared(client, `state ${topic} ${maxRate} ${name}`, first, () => {
    const view = state(client, topic, { ...options, schedule: perFrame });
    return { view, read: () => view.value };
  });
}

const newest: SharedStateOptions<unknown> = {
  initial: (snapshot: unknown) => snapshot,
  apply: (_, { data }) => data,
};

/** The newest data of a topic, or its snapshot. */
export function newestStore(
  client: LiveClient,
  topic: string | undefined,
  options?: object,
): SharedStore<unknown> {
  return stateStore(client, topic, { ...newest, ...options });
}

type Members = readonly LiveMember[];

/** [L-11.4] */
const presence: SharedStateOptions<Members> = {
  initial: (snapshot) => (snapshot ?? []) as Members,
  apply(members, message) {
    const { event, member } = message.data as { readonly event: string; readonly member: LiveMember };
    const others = members.filter(({ id }) => id !== member.id);
    return event === 'leave' ? others : [...others, member].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  },
};

/** The members of a topic. */
export function presenceStore(client: LiveClient, topic: string | undefined): SharedStore<Members> {
  return stateStore(client, topic && `${topic}/presence`, presence);
}

const unknownStatus: LiveStatus = { state: 'connecting', attempt: 0 };

/** The status of a client. */
export function statusStore(client: LiveClient): Store<LiveStatus> {
  return {
    initial: unknownStatus,
    get: () => client.status,
    subscribe(listener) {
      const changed = (): void => listener();
      const cancel = client.on('status', () => perFrame(changed));
      return () => {
        cancel();
        dropFromFrame(changed);
      };
    },
  };
}

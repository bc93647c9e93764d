import type { DataOf, EntryOf, KeyOf, SnapshotOf, TopicOf } from '../protocol/topic-types.js';
import type { LiveClient } from './live-client.js';
import type { PublicationMessage, TopicMessage } from './topic-messages.js';
import { type LiveView, View, type ViewOptions } from './view.js';

/** Options of `state`. */
export interface StateOptions<
  State,
  Data = unknown,
  Snapshot = unknown,
  Key extends string = string,
> extends ViewOptions {
  /**
   * The state of a topic without a snapshot, or a function that makes the state from the snapshot,
   * if there is one. A value is replaced by the snapshot.
   */
  readonly initial: State | ((snapshot: Snapshot | undefined) => State);
  /** Returns the state after a publication. It must not change the one that it gets. */
  readonly apply: (state: State, message: PublicationMessage<Data, Key>) => State;
}

/** A value made of a topic's publications. */
export interface StateView<State> extends LiveView<State> {
  /** The state after the newest publication. */
  readonly value: State;
}

/**
 * Follows a topic as one value: `apply` takes each publication, once and in order. A snapshot, as
 * after a loss, replaces it. `onChange` tells the newest value, by default once a frame. Without a
 * snapshot a loss leaves the value as it is, and `stale`.
 * @throws TypeError for an invalid topic name
 * @throws RangeError for an invalid `maxRate`
 * @throws LiveClientError `closed`
 */
export function state<TopicMap extends object, RequestMap extends object, T extends TopicOf<TopicMap>, State>(
  client: LiveClient<TopicMap, RequestMap>,
  topic: T,
  options: StateOptions<
    State,
    DataOf<EntryOf<TopicMap, T>>,
    SnapshotOf<EntryOf<TopicMap, T>>,
    KeyOf<EntryOf<TopicMap, T>> & string
  >,
): StateView<State> {
  return new ReducedView<State>(
    client as unknown as LiveClient,
    topic,
    options as unknown as StateOptions<State>,
  );
}

class ReducedView<State> extends View<State> implements StateView<State> {
  value: State;
  readonly #options: StateOptions<State>;

  constructor(client: LiveClient, topic: string, options: StateOptions<State>) {
    super(topic, options);
    this.#options = options;
    this.value = this.#startFrom(undefined);
    this.open(client, options);
  }

  protected override take(message: TopicMessage): boolean | undefined {
    if (message.type === 'event') {
      this.value = this.#options.apply(this.value, message);
      return undefined;
    }
    const isKnown = 'snapshot' in message || message.type === 'start' || message.position.offset === 0;
    if (isKnown) this.value = this.#startFrom(message.snapshot);
    return isKnown;
  }

  protected override change(): State {
    return this.value;
  }

  #startFrom(snapshot: unknown): State {
    const { initial } = this.#options;
    if (typeof initial === 'function') return (initial as (from: unknown) => State)(snapshot);
    return snapshot === undefined ? initial : (snapshot as State);
  }
}

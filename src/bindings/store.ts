import type { LiveClient } from '../client/live-client.js';
import type { ClientPublishOptions, RemoveOptions } from '../client/live-client.options.js';
import type { Position } from '../protocol/position.js';
import type { AnyShape, ClientDataOf, DataOf, SnapshotOf } from '../protocol/topic-types.js';

/** What the bindings show of a topic. A new object after each change, never changed itself. */
export interface LiveResult<Data> {
  /** The state as of this result. */
  readonly data: Data;
  /** Whether the state has been whole once. */
  readonly ready: boolean;
  /**
   * Whether the state may be outdated: before it is `ready`, while the connection is down, after
   * a loss until the server has sent it again, and after an error.
   */
  readonly stale: boolean;
  /** Why there is no state, or why it ended. */
  readonly error: Error | undefined;
}

/** A subscribed user of a topic that declares presence. */
export interface LiveMember {
  /** The id of the user. */
  readonly id: string;
  /** Fields that the topic shows of its members. */
  readonly [field: string]: unknown;
}

/** What `useLive` and its like show: the newest data, or the snapshot if nothing came after it. */
export type NewestOf<Entry> = Entry extends AnyShape ? DataOf<Entry> | SnapshotOf<Entry> : Entry;

/** Publishes to one topic, as `LiveClient.publish` does. */
export type Publish<Entry> = <Options extends ClientPublishOptions | RemoveOptions = ClientPublishOptions>(
  data: Options extends RemoveOptions ? undefined : ClientDataOf<Entry>,
  options?: Options,
) => Promise<Position>;

/** What an application declares in a `Register`. */
export interface Registered<Client> {
  /** The type of its client. */
  readonly client: Client;
}

/** The topic map of the client in a `Register`; any topic without one. */
export type RegisteredTopics<Register> =
  Register extends Registered<LiveClient<infer Map, infer _>> ? Map : Record<string, unknown>;

/** The request map of the client in a `Register`; any request without one. */
export type RegisteredRequests<Register> =
  Register extends Registered<LiveClient<infer _, infer Map>> ? Map : Record<string, unknown>;

/** A value that changes, for all who show it. It is opened by its first subscriber. */
export interface Store<Value> {
  /** The value before anything is known, as on a server. */
  readonly initial: Value;
  /** The value now; the same object until it changes. */
  get(): Value;
  subscribe(changed: () => void): () => void;
}

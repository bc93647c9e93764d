import type { HistoryRules, LatestRule } from '../../core/ports/broker.js';
import type { LiveUser } from '../../core/ports/identity.js';
import type { DeliveryRules } from '../../core/ports/policy.js';
import type { KeySchema, LiveContractOptions, LiveSchema } from '../options/live-contract.options.js';

/** Options of a topic besides its pattern. */
export interface LiveTopicOptions extends DeliveryRules, LiveContractOptions {
  /**
   * Schema of what is published. Data that does not match is refused with `validation-failed` and
   * the path of what is wrong, before the broker gets it. What is sent is the schema's output.
   * Removals have no data. [L-4.13]
   *
   * @default any JSON value
   */
  readonly data?: LiveSchema;
  /**
   * Schema of what clients publish, if they publish something else than subscribers receive. Its
   * output must match `data`.
   *
   * @default `data`
   */
  readonly clientPublish?: LiveSchema;
  /**
   * Schema of the pattern's parameters, for instance numbers. It must answer at once. The methods
   * of the class get its output. A topic whose parameters do not match is not declared. [L-3.17]
   *
   * @default the segments, as strings
   */
  readonly params?: LiveSchema;
  /**
   * Schema of the keys of publications and removals, a Standard Schema of strings. It must answer
   * at once. A key that does not match is refused with `validation-failed`, before the broker gets
   * it; so is a publication without a key, unless the schema accepts `undefined`. [L-4.17]
   *
   * @default any key, or none
   */
  readonly key?: KeySchema;
  /** How much to keep for clients that reconnect; nothing by default. */
  readonly history?: Partial<HistoryRules>;
  /**
   * Gives new subscribers the latest publications without a `snapshot` of your own: the last data,
   * or an object with the last data of each key (of the 10,000 keys published last). A schema
   * describes what the method `snapshot` returns: another state is logged, and the `subscribe` is
   * answered `unavailable`. [L-6.9]
   */
  readonly snapshot?: LatestRule | LiveSchema;
  /**
   * Milliseconds after which a key that is not published again leaves the `'last-per-key'`
   * snapshot, by the broker's clock. Current subscribers are not notified. An integer from 1.
   *
   * @default keys stay until they are removed
   */
  readonly maxKeyAgeMs?: number;
  /**
   * For topics whose `version` is a time in milliseconds since 1970: how far it may be ahead of the
   * server's clock. A later version is refused with `validation-failed`, so that a publisher with a
   * wrong clock cannot block its key. An integer from 0.
   *
   * @default not checked, because a version need not be a time
   */
  readonly maxVersionAheadMs?: number;
  /**
   * Maximum bytes of a publication's data, as JSON text in UTF-8. A larger one is refused with
   * `limit-exceeded` (over HTTP `413`) and delivered to no one [L-9.19]. Set it if clients use
   * libraries that cannot receive large messages.
   *
   * @default the broker's own limit, 1 MiB on Redis and NATS
   */
  readonly maxPublicationBytes?: number;
  /**
   * Exposes the subscribers through `LiveService.presence(topic)` and, to clients, the topic
   * `<topic>/presence`, which has the same `canSubscribe` [L-11.1]. Off by default.
   */
  readonly presence?: true | LivePresenceOptions;
  /**
   * Tracks on all instances whether each topic has subscribers, for `LiveService.occupied`. Off by
   * default; on for a class with `onOccupied`, `onVacated` or `poll`.
   */
  readonly occupancy?: true | LiveOccupancyOptions;
  /**
   * Calls `snapshot()` again and again while anybody reads the topic, on one instance of all, and
   * publishes what has changed. Late subscribers get the last publications, without a call.
   */
  readonly poll?: LivePollOptions;
}

/** When a topic counts as vacated. */
export interface LiveOccupancyOptions {
  /**
   * Milliseconds without subscribers on any instance before `onVacated`, so that a reload of a page
   * does not end what `onOccupied` has begun. An integer from 0.
   *
   * @default 5000
   */
  readonly graceMs?: number;
}

/** How the state of a topic is polled. */
export interface LivePollOptions {
  /**
   * Milliseconds between the starts of two calls. A call that takes longer delays the next one. An
   * integer from 10.
   */
  readonly everyMs: number;
  /**
   * Whether `snapshot()` returns an object with a field for each key, of which only the changed
   * ones are published, and those that are gone are removed. The default is to publish the whole
   * state when it has changed.
   *
   * @default false
   */
  readonly byKey?: boolean;
}

/** What a topic reveals about its members. */
export interface LivePresenceOptions {
  /**
   * Data of a user, besides the id, shown to everyone who may read the topic: an object of at most
   * 1,024 characters of JSON.
   *
   * @default nothing
   */
  readonly fields?: (user: LiveUser) => object;
  /**
   * Milliseconds that a user remains a member after the last connection closed, so that a reconnect
   * is not a leave and a join.
   *
   * @default 5000
   */
  readonly graceMs?: number;
}

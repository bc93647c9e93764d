import { Injectable } from '@nestjs/common';
import type { ClusterCount } from '../../core/cluster/signal.js';
import {
  type DisconnectOptions,
  type ReauthorizeTarget,
  requests,
  type UnsubscribeOptions,
} from '../../core/cluster/requests.js';
import type { PresenceMember } from '../../core/presence/member.js';
import type { RebalanceOptions, RebalanceResult } from '../../core/connection/rebalance.js';
import { Live } from '../../core/live.js';
import type { LiveStats } from '../../core/live-stats.js';
import type { Published } from '../../core/ports/broker.js';
import { settleAll } from '../../core/publish/settle-all.js';
import type { EntryOf, PublishParameters, TopicOf } from '../../protocol/topic-types.js';
import { TopicPattern } from '../topics/topic-pattern.js';
import { LiveServer } from './live.server.js';
import type {
  LivePublication,
  PersonalEntry,
  PublicationOf,
  PublishData,
  PublishOptions,
  PublishOptionsOf,
  RemovalOptions,
  RemovalOptionsOf,
} from './publication.js';

/** Publications in flight during `publishMany`; the engines' clients batch calls of one turn. */
const maxInFlight = 256;

type AnyPublication = LivePublication & (PublishOptions | RemovalOptions);

/**
 * The application's interface to its live clients. With a topic map, such as
 * `LiveService<TopicsOf<typeof FleetTopic>>`, the compiler checks names and data.
 */
@Injectable()
// oxlint-disable-next-line typescript/no-explicit-any -- no interface extends Record<…, unknown>
export class LiveService<Topics extends Record<string, any> = Record<string, unknown>> {
  /** @internal */
  constructor(
    private readonly live: Live,
    private readonly server: LiveServer,
  ) {}

  /**
   * Publishes a JSON value to every subscriber of the topic; a `JsonText` is sent unchanged. No
   * permission is checked, because the caller is the application. To remove a key:
   * `publish(topic, undefined, { key, remove: true })`.
   *
   * @returns the publication's position once the broker has accepted it, and whether it was
   *   suppressed
   * @throws LiveError `validation-failed` if `topic` is not a topic name or matches no
   *   `@LiveTopic`, `data` has no JSON text, an option is out of range, or `version` is too far
   *   ahead of the clock; `limit-exceeded` if the publication is too large for the broker;
   *   `unavailable` if the broker cannot accept it now
   */
  publish<
    T extends TopicOf<Topics>,
    const Options extends PublishOptionsOf<EntryOf<Topics, T>> | RemovalOptionsOf<EntryOf<Topics, T>> =
      PublishOptionsOf<EntryOf<Topics, T>>,
  >(
    topic: T,
    data: PublishData<EntryOf<Topics, T>, Options>,
    ...[options]: PublishParameters<EntryOf<Topics, T>, Options>
  ): Promise<Published> {
    return this.live.publish(topic, data, options);
  }

  /**
   * Publishes each item as `publish` does, in order, with at most 256 in flight. Not a transaction:
   * each item has its own outcome at its own index, as from `Promise.allSettled`. A `reason` is the
   * `LiveError` that `publish` would reject with.
   *
   * @returns one outcome for each publication; never rejects
   */
  publishMany(publications: readonly PublicationOf<Topics>[]): Promise<PromiseSettledResult<Published>[]> {
    const publish = ({ topic, data, ...options }: AnyPublication): Promise<Published> =>
      this.live.publish(topic, data, options);
    return settleAll(publications as readonly AnyPublication[], publish, maxInFlight);
  }

  /**
   * Publishes a JSON value to the personal topic of a user, on all connections of that user that
   * are subscribed to `$user`, on all instances [L-3.15]. No other user can read it. A connection
   * that comes back gets what it missed while it is in the history (`personal.history`). Nothing
   * else is kept: publications for a user without connections expire with the history.
   *
   * @param userId - the `id` that the connection guard reports, 1 to 1,024 characters. Whether
   *   such a user exists is not checked
   * @param data - a JSON value or a `JsonText`; `undefined` with `remove`
   * @returns as `publish`
   * @throws LiveError `validation-failed` if the user id is invalid, `data` has no JSON text, or an
   *   option is out of range; `limit-exceeded` and `unavailable` as `publish`
   */
  toUser<Options extends PublishOptions | RemovalOptions = PublishOptions>(
    userId: string,
    data: PublishData<PersonalEntry<Topics>, Options>,
    options?: Options,
  ): Promise<Published> {
    return this.live.publishToUser(userId, data, options);
  }

  /**
   * Closes every connection of the user on all instances: here at once, elsewhere within 2 s. The
   * command is repeated for ten minutes to instances that missed it. Connections that the user
   * opens after this call stay open.
   *
   * @returns the number of closed connections by instance
   * @throws LiveError `validation-failed`; never because the engine is unavailable: other instances
   *   are then `missing`
   */
  async disconnectUser(userId: string, options?: DisconnectOptions): Promise<ClusterCount> {
    return this.live.cluster.give(requests.disconnectUser(userId, options));
  }

  /**
   * Ends the user's subscriptions to the topic on all instances; clients receive the code
   * `forbidden` [L-3.9]. It revokes no permission: a user who may subscribe can do so again.
   *
   * @returns the number of ended subscriptions by instance
   * @throws LiveError `validation-failed`
   */
  async unsubscribeUser(userId: string, topic: string, options?: UnsubscribeOptions): Promise<ClusterCount> {
    return this.live.cluster.give(requests.unsubscribeUser(userId, topic, options));
  }

  /**
   * Runs `canSubscribe` again on all instances and ends the subscriptions that it no longer allows.
   * Call it when permissions have changed. A subscription that cannot be checked now also ends,
   * with code `unavailable` [L-3.12].
   *
   * @returns the number of ended subscriptions by instance
   * @throws LiveError `validation-failed`
   */
  async reauthorize(target: ReauthorizeTarget): Promise<ClusterCount> {
    return this.live.cluster.give(requests.reauthorize(target));
  }

  /**
   * Counts the connections subscribed to the topic on all instances.
   *
   * @throws LiveError `validation-failed`
   */
  async count(topic: string): Promise<ClusterCount> {
    return this.live.cluster.give(requests.count(topic));
  }

  /**
   * The members of a topic declared with `presence`, by id, on all instances known to this one. At
   * most a second behind; after the death of an instance, up to `instanceTimeoutMs` behind
   * [L-11.6].
   *
   * @throws LiveError `validation-failed` for any other topic
   */
  presence(topic: string): readonly PresenceMember[] {
    return this.live.audience.presence.members(topic);
  }

  /**
   * Topics with subscribers on any instance, sorted: those whose class has `onOccupied`,
   * `onVacated`, `poll` or `occupancy`. At most a second behind; after the death of an instance, up
   * to `instanceTimeoutMs` behind.
   *
   * @param pattern - which of them, as for `@LiveTopic`. @default all
   * @throws Error if the pattern is invalid
   */
  occupied(pattern = '**'): readonly string[] {
    const wanted = new TopicPattern(pattern);
    return this.live.audience.occupancy.table.read().filter((topic) => wanted.match(topic) !== undefined);
  }

  /**
   * Asks a share of this instance's connections to move to other instances, for instance when a new
   * one has come: each gets a slot of the window in a `draining` message [L-10.9]. Clients with
   * `nestjs-live/client` connect first, recover, and then leave. A client that does not know the
   * message stays: closing it would cost it a gap, and nothing is urgent. The load balancer decides
   * where a client lands; with `leastconn` it is the emptiest instance.
   *
   * @returns how many connections were asked, and how many of them have ended 1.5 s after the last
   *   slot, or when the instance begins to stop
   * @throws LiveError `validation-failed` if `share` is not above 0 and at most 1, or `windowMs` is
   *   not 0 to 3,600,000; `unavailable` during another rebalance, or while the instance stops
   */
  rebalance(options: RebalanceOptions): Promise<RebalanceResult> {
    return this.live.rebalance(options);
  }

  /** Current statistics of this instance's live server. */
  stats(): LiveStats {
    return this.live.stats();
  }

  /**
   * The URL for clients, such as `ws://127.0.0.1:8081/live`, with the actual port for `port: 0`.
   *
   * @throws Error before the server listens
   */
  url(): string {
    return this.server.url();
  }
}

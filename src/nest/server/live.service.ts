import { Injectable } from '@nestjs/common';
import type { ClusterCount } from '../../core/cluster/signal.js';
import {
  type DisconnectOptions,
  type ReauthoriseTarget,
  requests,
  type UnsubscribeOptions,
} from '../../core/cluster/requests.js';
import type { PresenceMember } from '../../core/presence/member.js';
import { Live, type LiveStats } from '../../core/live.js';
import type { Published } from '../../core/ports/broker.js';
import { LiveServer } from './live.server.js';

export interface PublishOptions {
  /** What the publication is about, for example a vehicle's id: 1 to 128 characters. */
  readonly key?: string;
  /**
   * Names this publication for a publisher that tries again: 1 to 128 characters. The same one on the same topic within
   * five minutes publishes nothing; the answer has the position of the first and `suppressed: 'duplicate'`.
   */
  readonly idempotencyKey?: string;
  /**
   * An integer that grows with the state that is published, for publishers that may overtake each other. One that is not
   * greater than the greatest of its `key`, or without a key than the greatest of the topic's publications without one,
   * publishes nothing; the answer has the topic's end and `suppressed: 'stale'`. The versions of at least the 10,000 keys
   * of a topic heard of last are remembered. Where versions are times, see `maxVersionAheadMs` of `@LiveTopic`.
   */
  readonly version?: number;
  /**
   * Takes the `key` away: it leaves the snapshot of `last-per-key`, and subscribers get an event with `removed: true` and
   * no data. The `data` must be `undefined`. An older version that is late does not bring the key back.
   */
  readonly remove?: true;
}

/**
 * The application's way to its live clients.
 *
 * @publicApi
 */
@Injectable()
export class LiveService {
  constructor(
    private readonly live: Live,
    private readonly server: LiveServer,
  ) {}

  /**
   * Publishes a JSON value to every subscriber of the topic; a `JsonText` goes out as it is written. No right is asked: this
   * is the application itself. To take a key away: `publish(topic, undefined, { key, remove: true })`.
   *
   * @returns the publication's position, once the broker has accepted it, and whether it was suppressed
   * @throws LiveError `validation-failed` when `topic` is no topic name or declared by no `@LiveTopic`, `data` has no JSON
   * text, an option is out of its bounds, or `version` too far ahead of the clock; `limit-exceeded` when the broker takes none so large; `unavailable` when it
   * cannot take it now
   */
  publish(topic: string, data: unknown, options: PublishOptions = {}): Promise<Published> {
    return this.live.publish(topic, data, options);
  }

  /**
   * Closes every connection of the user, on all instances: here at once, elsewhere within 2 s. An instance that did not
   * hear of it is told again for ten minutes; connections that the user opens after this call are not meant.
   *
   * @returns how many connections were closed, by instance
   * @throws LiveError `validation-failed`; never because the engine is away: other instances are `missing` then
   */
  async disconnectUser(userId: string, options?: DisconnectOptions): Promise<ClusterCount> {
    return this.live.cluster.give(requests.disconnectUser(userId, options));
  }

  /**
   * Ends the user's subscriptions to the topic, on all instances; the clients are told with code `forbidden` [L-3.9]. It
   * takes no right: who may subscribe can do so again.
   *
   * @returns how many subscriptions have ended, by instance
   * @throws LiveError `validation-failed`
   */
  async unsubscribeUser(userId: string, topic: string, options?: UnsubscribeOptions): Promise<ClusterCount> {
    return this.live.cluster.give(requests.unsubscribeUser(userId, topic, options));
  }

  /**
   * Asks `canSubscribe` again, on all instances, and ends the subscriptions that it does not allow any more: to be called
   * when rights have changed. What cannot be checked now ends, too, with code `unavailable` [L-3.12].
   *
   * @returns how many subscriptions have ended, by instance
   * @throws LiveError `validation-failed`
   */
  async reauthorise(target: ReauthoriseTarget): Promise<ClusterCount> {
    return this.live.cluster.give(requests.reauthorise(target));
  }

  /**
   * Counts the connections that are subscribed to the topic, on all instances.
   *
   * @throws LiveError `validation-failed`
   */
  async count(topic: string): Promise<ClusterCount> {
    return this.live.cluster.give(requests.count(topic));
  }

  /**
   * The members of a topic that was declared with `presence`, by their ids, on all instances as far as this one knows: a
   * second behind at most, and after the death of an instance until `instanceTimeoutMs` is over [L-11.6].
   *
   * @throws LiveError `validation-failed` for any other topic
   */
  presence(topic: string): readonly PresenceMember[] {
    return this.live.presence.members(topic);
  }

  /** What the live server of this instance is doing now. */
  stats(): LiveStats {
    return this.live.stats();
  }

  /**
   * Where sockets connect, for example `ws://127.0.0.1:8081/live`; tells the port that was taken for `port: 0`.
   *
   * @throws Error before the server listens
   */
  url(): string {
    return this.server.url();
  }
}

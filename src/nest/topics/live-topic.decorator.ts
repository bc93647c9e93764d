import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common';
import type { LiveUser } from '../../core/ports/identity.js';
import type { DeliveryRules } from '../../core/ports/policy.js';
import type { HistoryRules, LatestRule } from '../../core/ports/broker.js';
import { TopicPattern, type TopicParams } from './topic-pattern.js';

/** What a topic declares beside its pattern. */
export interface LiveTopicOptions extends DeliveryRules {
  /** How much is kept for clients that come back; nothing by default. */
  readonly history?: Partial<HistoryRules>;
  /**
   * Gives new subscribers what was published last, without a `snapshot` of your own: the last data, or an object with
   * the last data of each key (of the 10,000 keys heard of last).
   */
  readonly snapshot?: LatestRule;
  /**
   * Milliseconds after which a key that is not published again leaves the snapshot of `'last-per-key'`, by the broker's
   * clock. Current subscribers hear nothing of it. An integer from 1. @default keys stay until they are removed
   */
  readonly maxKeyAgeMs?: number;
  /**
   * For topics whose `version` is a time in milliseconds since 1970: how far one may be ahead of the server's clock. One
   * beyond is refused with `validation-failed`, so that a publisher with a wrong clock cannot block its key until that time.
   * An integer from 0. @default not checked, because a version need not be a time
   */
  readonly maxVersionAheadMs?: number;
  /**
   * Bytes of the largest publication's data, as JSON text in UTF-8. A larger one is refused with `limit-exceeded` (over HTTP
   * `413`), and reaches nobody [L-9.19]. Set it where clients use libraries that take no large messages.
   * @default the broker's own bound, 1 MiB on Redis and NATS
   */
  readonly maxPublicationBytes?: number;
  /**
   * Makes it known who is subscribed: `LiveService.presence(topic)`, and for clients the topic `<topic>/presence`, which has
   * the same `canSubscribe` [L-11.1]. Nothing by default.
   */
  readonly presence?: true | LivePresenceOptions;
}

/** What a topic says about its members. */
export interface LivePresenceOptions {
  /**
   * What everybody who may read the topic is shown of a user, beside the id: an object of at most 1,024 characters of JSON.
   * @default nothing
   */
  readonly fields?: (user: LiveUser) => object;
  /**
   * Milliseconds that a user whose last connection is gone stays a member, so that a reconnect is no leave and join.
   * @default 5000
   */
  readonly graceMs?: number;
}

/**
 * What a class under `@LiveTopic` says about its topics. Answers may be promises. A check that throws, or does not answer
 * within `authorizationTimeoutMs`, allows nothing, and the client is told to try again. To say no by throwing, throw a
 * `LiveError` with code `forbidden` or an `HttpException` with a status from 400 to 499 (but 408, 425, 429).
 */
export interface LiveTopicProvider<Params extends TopicParams = TopicParams> {
  /** Who may read. Only `true` allows. `user` is `null` where no guard named anybody. */
  canSubscribe(user: LiveUser | null, params: Params, topic: string): boolean | Promise<boolean>;
  /** Which clients may publish. @default nobody; the application itself always may */
  canPublish?(user: LiveUser | null, params: Params, topic: string): boolean | Promise<boolean>;
  /** The topic's state now, a JSON value, or `snapshotAt(position, state)`: what a new subscriber starts with. */
  snapshot?(params: Params, topic: string): unknown;
}

export interface LiveTopicMetadata {
  readonly pattern: string;
  readonly options: LiveTopicOptions;
}

export const LIVE_TOPIC = Symbol('nestjs-live:topic');

/**
 * Declares topics: the class is a provider and says who may read and write them. The most specific pattern wins: one
 * whose topics are a part of another's. Two patterns that share topics without such an order are a start error. A topic
 * that nobody declares is forbidden.
 *
 * @param pattern `fleet/:fleetId` names a segment, `*` stands for one, `**` at the end for one or more
 * @throws at once, for what is no pattern
 * @publicApi
 */
export function LiveTopic(pattern: string, options: LiveTopicOptions = {}): ClassDecorator {
  const checked = new TopicPattern(pattern).text;
  const metadata: LiveTopicMetadata = { pattern: checked, options };
  return applyDecorators(Injectable(), SetMetadata(LIVE_TOPIC, metadata));
}

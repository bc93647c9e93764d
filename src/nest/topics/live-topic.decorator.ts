import { applyDecorators, Injectable, SetMetadata, type Type } from '@nestjs/common';
import type { LiveUser } from '../../core/ports/identity.js';
import type { LiveTopicOptions } from './live-topic.options.js';
import type { TopicClass, TopicClassDecorator } from './topic-declaration.js';
import { classWithoutTopic } from './topic.errors.js';
import { TopicPattern, type TopicParams } from './topic-pattern.js';

/**
 * The methods of a class with `@LiveTopic`. Answers may be promises. If a check throws or
 * exceeds `authorizationTimeoutMs`, access is denied and the client retries later. To refuse by
 * throwing, throw a `LiveError` with code `forbidden` or an `HttpException` with a status from 400
 * to 499 (except 408, 425, 429).
 */
export interface LiveTopicProvider<Params = TopicParams> {
  /** Decides who may read. Only `true` allows. `user` is `null` for an anonymous client. */
  canSubscribe(user: LiveUser | null, params: Params, topic: string): boolean | Promise<boolean>;
  /** Decides which clients may publish. @default no client; the application itself always may */
  canPublish?(user: LiveUser | null, params: Params, topic: string): boolean | Promise<boolean>;
  /**
   * The topic's current state for new subscribers: a JSON value, or `snapshotAt(position, state)`.
   */
  snapshot?(params: Params, topic: string): unknown;
  /**
   * Called when the topic gets its first subscriber on any instance, on one instance: the place to
   * subscribe to a feed of your own. May be async and delays no subscriber. With other instances it
   * is called 0.4 s after the subscriber came. When its instance dies, it is called on another one
   * within `instanceTimeoutMs`. An exception, or more than `authorizationTimeoutMs`, is logged.
   */
  onOccupied?(params: Params, topic: string): unknown;
  /**
   * Called on the instance of `onOccupied` when the topic has had no subscriber on any instance for
   * `occupancy.graceMs`, or when that instance stops.
   */
  onVacated?(params: Params, topic: string): unknown;
}

export interface LiveTopicMetadata {
  readonly pattern: string;
  readonly options: LiveTopicOptions;
}

export const LIVE_TOPIC = Symbol('nestjs-live:topic');

/**
 * Declares topics: the class is a provider and decides who may read and write them. The most
 * specific pattern wins, that is, one whose topics are a subset of another's. Two patterns that
 * share topics without such an order are a start error. Topics without a declaration are forbidden.
 *
 * @param pattern - `fleet/:fleetId` names a segment, `*` matches one, `**` at the end matches one
 *   or more
 * @throws Error immediately if the pattern is invalid
 */
export function LiveTopic(pattern: string, options?: LiveTopicOptions): ClassDecorator;
/**
 * Declares the topics of the class's `static readonly topic = defineTopic(…)`. The compiler checks
 * the class against the types of the schemas.
 */
export function LiveTopic(): TopicClassDecorator;
export function LiveTopic(pattern?: string, options: LiveTopicOptions = {}): (target: never) => void {
  if (pattern !== undefined) return declare(pattern, options);
  return (target: Partial<TopicClass> & Type) => {
    if (target.topic === undefined) throw classWithoutTopic(target.name);
    declare(target.topic.pattern, target.topic.options)(target);
  };
}

function declare(pattern: string, options: LiveTopicOptions): ClassDecorator {
  const metadata: LiveTopicMetadata = { pattern: new TopicPattern(pattern).text, options };
  return applyDecorators(Injectable(), SetMetadata(LIVE_TOPIC, metadata));
}

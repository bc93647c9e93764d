import { Injectable, Scope, type Type } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import {
  type DeliveryRules,
  flushMsAllowed,
  isFlushMs,
  slowPolicies,
  type PresenceRules,
} from '../../core/ports/policy.js';
import { fieldRules, isRate } from '../../protocol/fields.js';
import type { LatestRule } from '../../core/ports/broker.js';
import {
  topicRequestScoped,
  topicWithoutAuthorization,
  topicWithTwoSnapshots,
  wrongOption,
} from '../options/live.errors.js';
import { historyOption } from '../options/option-checks.js';
import {
  LIVE_TOPIC,
  type LivePresenceOptions,
  type LiveTopicMetadata,
  type LiveTopicOptions,
  type LiveTopicProvider,
} from './live-topic.decorator.js';
import { TopicPattern } from './topic-pattern.js';
import type { DeclaredTopic } from './topic.policy.js';

const latestRules: readonly LatestRule[] = ['last', 'last-per-key'];

/** Finds the application's `@LiveTopic` providers. */
@Injectable()
export class TopicExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  /** @throws Error that says what to fix in a provider that cannot work */
  explore(): DeclaredTopic[] {
    const topics = new Map<unknown, DeclaredTopic>();
    for (const wrapper of this.discovery.getProviders()) {
      // A value or a factory's result stands for the class it is provided as, such as a test
      // double.
      const declaring: unknown = wrapper.isNotMetatype ? wrapper.token : wrapper.metatype;
      if (typeof declaring !== 'function') continue;
      const metadata = this.reflector.get<LiveTopicMetadata | undefined>(LIVE_TOPIC, declaring as Type);
      if (metadata === undefined) continue;
      const { name } = declaring;
      if (wrapper.scope === Scope.REQUEST || !wrapper.isDependencyTreeStatic())
        throw topicRequestScoped(name);
      // Several modules may expose the same instance.
      topics.set(wrapper.instance, declaration(wrapper.instance as LiveTopicProvider, name, metadata));
    }
    return [...topics.values()];
  }
}

function declaration(
  provider: LiveTopicProvider,
  name: string,
  { pattern, options }: LiveTopicMetadata,
): DeclaredTopic {
  if (typeof provider.canSubscribe !== 'function') throw topicWithoutAuthorization(name, pattern);
  const { snapshot: latest } = options;
  if (latest !== undefined && !latestRules.includes(latest)) {
    throw wrongOption(`snapshot of ${name}`, latest, "'last' or 'last-per-key'");
  }
  if (latest !== undefined && provider.snapshot !== undefined) throw topicWithTwoSnapshots(name, pattern);
  return {
    pattern: new TopicPattern(pattern),
    provider,
    history: options.history && historyOption((field) => `history.${field} of ${name}`, options.history),
    latest,
    ...boundsOf(options, name),
    delivery: deliveryOf(options, name),
    maxPublicationBytes: maxBytesOf(options, name),
    presence: presenceOf(options.presence, name),
  };
}

/** How long keys stay in the snapshot, and how far ahead versions may be. */
function boundsOf(
  { snapshot, maxKeyAgeMs, maxVersionAheadMs }: LiveTopicOptions,
  name: string,
): Pick<DeclaredTopic, 'maxKeyAgeMs' | 'maxVersionAheadMs'> {
  if (maxKeyAgeMs !== undefined && !isAtLeast(maxKeyAgeMs, 1))
    throw wrongOption(`maxKeyAgeMs of ${name}`, maxKeyAgeMs, 'an integer >= 1');
  if (maxKeyAgeMs !== undefined && snapshot !== 'last-per-key')
    throw wrongOption(`snapshot of ${name}`, snapshot, "'last-per-key' beside maxKeyAgeMs");
  if (maxVersionAheadMs !== undefined && !isAtLeast(maxVersionAheadMs, 0))
    throw wrongOption(`maxVersionAheadMs of ${name}`, maxVersionAheadMs, 'an integer >= 0');
  return { maxKeyAgeMs, maxVersionAheadMs };
}

function isAtLeast(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min;
}

function deliveryOf({ slow, maxRate, flushMs }: LiveTopicOptions, name: string): DeliveryRules {
  if (slow !== undefined && !slowPolicies.includes(slow))
    throw wrongOption(`slow of ${name}`, slow, "'conflate', 'skip' or 'close'");
  if (maxRate !== undefined && !isRate(maxRate))
    throw wrongOption(`maxRate of ${name}`, maxRate, fieldRules.maxRate[1]);
  if (flushMs !== undefined && !isFlushMs(flushMs))
    throw wrongOption(`flushMs of ${name}`, flushMs, flushMsAllowed);
  return {
    ...(slow !== undefined && { slow }),
    ...(maxRate !== undefined && { maxRate }),
    ...(flushMs !== undefined && { flushMs }),
  };
}

function maxBytesOf({ maxPublicationBytes }: LiveTopicOptions, name: string): number | undefined {
  if (
    maxPublicationBytes !== undefined &&
    !(Number.isInteger(maxPublicationBytes) && maxPublicationBytes > 0)
  )
    throw wrongOption(`maxPublicationBytes of ${name}`, maxPublicationBytes, 'an integer > 0');
  return maxPublicationBytes;
}

function presenceOf(
  options: true | LivePresenceOptions | undefined,
  name: string,
): PresenceRules | undefined {
  if (options === undefined) return undefined;
  if (options !== true && (typeof options !== 'object' || options === null))
    throw wrongOption(`presence of ${name}`, options, 'true or an object');
  const { fields, graceMs = 5_000 } = options === true ? {} : options;
  if (fields !== undefined && typeof fields !== 'function')
    throw wrongOption(`presence.fields of ${name}`, fields, 'a function from a user to an object');
  if (!Number.isInteger(graceMs) || graceMs < 0)
    throw wrongOption(`presence.graceMs of ${name}`, graceMs, 'an integer >= 0');
  return { graceMs, ...(fields !== undefined && { fields }) };
}

import { Injectable, Scope, type Type } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import type { LatestRule } from '../../core/ports/broker.js';
import { wrongOption } from '../options/live.errors.js';
import { topicRequestScoped, topicWithoutAuthorization, topicWithTwoSnapshots } from './topic.errors.js';
import { historyOption } from '../options/option-checks.js';
import { LIVE_TOPIC, type LiveTopicMetadata, type LiveTopicProvider } from './live-topic.decorator.js';
import { TopicPattern } from './topic-pattern.js';
import type { DeclaredTopic } from './topic.policy.js';
import { boundsOf, deliveryOf, maxBytesOf, presenceOf } from './declared-options.js';

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

import { Inject, Injectable, Scope, type Type } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import type { LatestRule } from '../../core/ports/broker.js';
import type { SchemaCheck } from '../../core/ports/contract.js';
import { wrongOption } from '../options/live.errors.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';
import { LIVE_SETTINGS } from '../options/live.tokens.js';
import {
  schemaOfNothing,
  topicRequestScoped,
  topicWithoutAuthorization,
  topicWithTwoSnapshots,
} from './topic.errors.js';
import { historyOption } from '../options/option-checks.js';
import { LIVE_TOPIC, type LiveTopicMetadata, type LiveTopicProvider } from './live-topic.decorator.js';
import { TopicPattern } from './topic-pattern.js';
import { type DeclaredSchemas, contractOf } from './topic-contract.js';
import type { DeclaredTopic } from './topic.policy.js';
import { checkTopicNames } from './known-options.js';
import { occupancyOf } from './declared-occupancy.js';
import { boundsOf, deliveryOf, maxBytesOf, presenceOf } from './declared-options.js';

const latestRules: readonly LatestRule[] = ['last', 'last-per-key'];

/** Finds the application's `@LiveTopic` providers. */
@Injectable()
export class TopicExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
    @Inject(LIVE_SETTINGS) private readonly settings: ResolvedLiveOptions,
  ) {}

  /** @throws Error that says what to fix in a provider that cannot work */
  async explore(): Promise<DeclaredTopic[]> {
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
      const provider = wrapper.instance as LiveTopicProvider;
      const topic = declaration(provider, name, metadata);
      const schemas = schemasOf(provider, name, metadata);
      const contract = await contractOf(schemas, metadata.options.validate ?? this.settings.validate, name);
      topics.set(provider, { ...topic, contract });
    }
    return [...topics.values()];
  }

  /** The check of personal topics. */
  async explorePersonal(): Promise<SchemaCheck | undefined> {
    const { personalData: data, validate } = this.settings;
    return (await contractOf({ data }, validate, 'personal')).data;
  }
}

function declaration(
  provider: LiveTopicProvider,
  name: string,
  { pattern, options }: LiveTopicMetadata,
): DeclaredTopic {
  checkTopicNames(options, name);
  if (typeof provider.canSubscribe !== 'function') throw topicWithoutAuthorization(name, pattern);
  const latest = typeof options.snapshot === 'string' ? options.snapshot : undefined;
  if (latest !== undefined && !latestRules.includes(latest)) {
    throw wrongOption(`snapshot of ${name}`, latest, "'last' or 'last-per-key', or a schema");
  }
  const occupancy = occupancyOf(options, provider, name);
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
    occupancy,
  };
}

/** The topic's schemas. One that can never apply is a mistake. */
function schemasOf(
  provider: LiveTopicProvider,
  name: string,
  { pattern, options }: LiveTopicMetadata,
): DeclaredSchemas {
  const { data, params, clientPublish, key } = options;
  const snapshot = typeof options.snapshot === 'string' ? undefined : options.snapshot;
  if (snapshot !== undefined && provider.snapshot === undefined)
    throw schemaOfNothing('snapshot', name, 'the class has no snapshot()');
  if (params !== undefined && !/(?:^|\/):/.test(pattern))
    throw schemaOfNothing('params', name, `'${pattern}' has no parameter such as :id`);
  if (clientPublish !== undefined && provider.canPublish === undefined)
    throw schemaOfNothing('clientPublish', name, 'the class has no canPublish(), so no client may publish');
  return { data, snapshot, params, clientPublish, key };
}

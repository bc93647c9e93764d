import { HttpException } from '@nestjs/common';
import type { DeliveryRules, Policy, PresenceRules, TopicRules } from '../../core/ports/policy.js';
import type { HistoryRules, LatestRule } from '../../core/ports/broker.js';
import { isLasting } from '../auth/refusal.js';
import { companied, topicsOverlap, topicTwice } from './topic.errors.js';
import { type SchemaCheck, mismatch } from '../../core/ports/contract.js';
import { type DeclaredOccupancy, occupancyRules } from './declared-occupancy.js';
import { checkedParams, checkedSnapshot, contractRules, undeclared } from './contract-rules.js';
import type { LiveTopicProvider } from './live-topic.decorator.js';
import type { TopicContract } from './topic-contract.js';
import { TopicPattern, type TopicParams } from './topic-pattern.js';

/** One declaration: a pattern and the instance that decides about its topics. */
export interface DeclaredTopic {
  readonly pattern: TopicPattern;
  readonly provider: LiveTopicProvider;
  readonly history: HistoryRules | undefined;
  readonly latest?: LatestRule | undefined;
  readonly maxKeyAgeMs?: number | undefined;
  readonly maxVersionAheadMs?: number | undefined;
  readonly delivery: DeliveryRules;
  readonly maxPublicationBytes?: number | undefined;
  readonly presence?: PresenceRules | undefined;
  readonly occupancy?: DeclaredOccupancy | undefined;
  readonly contract?: TopicContract;
}

/** Maximum cached topics; a full cache is emptied. */
const rememberedTopics = 10_000;

/** Presents the application's `@LiveTopic` providers as the core's policy. */
export class TopicPolicy implements Policy {
  checkPersonalData: SchemaCheck | undefined;
  private declared: readonly DeclaredTopic[] = [];
  private readonly remembered = new Map<string, TopicRules | undefined>();

  /** @throws Error if it is ambiguous which of two patterns decides about a topic */
  declare(topics: readonly DeclaredTopic[], checkPersonalData?: SchemaCheck): void {
    this.checkPersonalData = checkPersonalData;
    topics.forEach((topic, i) => {
      for (const other of topics.slice(0, i)) checkOrder(other, topic);
    });
    for (const topic of topics) checkPresence(topic, topics);
    this.declared = topics.toSorted((one, other) => TopicPattern.compare(one.pattern, other.pattern));
    this.remembered.clear();
  }

  rulesFor(topic: string): TopicRules | undefined {
    const known = this.remembered.get(topic);
    if (known !== undefined || this.remembered.has(topic)) return known;
    const rules = this.find(topic);
    if (this.remembered.size >= rememberedTopics) this.remembered.clear();
    this.remembered.set(topic, rules);
    return rules;
  }

  /** Whether a check refused by throwing, as a guard would. */
  isRefusal(error: unknown): boolean {
    return error instanceof HttpException && isLasting(error.getStatus());
  }

  private find(topic: string): TopicRules | undefined {
    for (const declared of this.declared) {
      const params = declared.pattern.match(topic);
      if (params === undefined) continue;
      const checked = checkedParams(declared.contract?.params, params, topic);
      return checked.issues === undefined
        ? rulesOf(declared, checked.value as TopicParams, topic)
        : undeclared(`${mismatch('params', checked.issues)}, so "${topic}" is not a declared topic`);
    }
    return undefined;
  }
}

/** If two patterns match the same topic, the topics of one must be a subset of the other's. */
function checkOrder(one: DeclaredTopic, other: DeclaredTopic): void {
  const relation = one.pattern.relationTo(other.pattern);
  if (relation === 'equal') throw topicTwice(...namesOf(one), ...namesOf(other));
  if (relation !== 'overlap') return;
  throw topicsOverlap(...namesOf(one), ...namesOf(other), one.pattern.exampleWith(other.pattern));
}

/**
 * A topic with presence has a companion topic, which would hide one of the application's own.
 * [L-11.1]
 */
function checkPresence(topic: DeclaredTopic, topics: readonly DeclaredTopic[]): void {
  const base = /^(.*)\/presence$/.exec(topic.pattern.text)?.[1];
  if (base === undefined) return;
  const members = new TopicPattern(base);
  const hides = topics.find(
    ({ pattern, presence }) => presence !== undefined && pattern.relationTo(members) !== 'disjoint',
  );
  if (hides !== undefined) throw companied(...namesOf(topic), ...namesOf(hides));
}

function namesOf({ provider, pattern }: DeclaredTopic): [provider: string, pattern: string] {
  return [provider.constructor.name, pattern.text];
}

function rulesOf(declared: DeclaredTopic, params: TopicParams, topic: string): TopicRules {
  const {
    provider,
    history,
    latest,
    maxKeyAgeMs,
    maxVersionAheadMs,
    delivery,
    maxPublicationBytes,
    presence,
    occupancy,
    contract = {},
  } = declared;
  const { snapshot } = provider;
  const { snapshot: check } = contract;
  const state = (): unknown => {
    const given = snapshot?.call(provider, params, topic);
    return check === undefined ? given : checkedSnapshot(check, topic, given);
  };
  // A polled topic keeps the published state in the broker.
  const { poll } = occupancy ?? {};
  const rule = poll === undefined ? latest : poll.byKey === true ? 'last-per-key' : 'last';
  return {
    canSubscribe: (user) => provider.canSubscribe(user, params, topic),
    canPublish: (user) => provider.canPublish?.(user, params, topic) ?? false,
    ...(snapshot !== undefined && poll === undefined && { snapshot: state }),
    ...(rule !== undefined && { latest: rule }),
    ...(maxKeyAgeMs !== undefined && { maxKeyAgeMs }),
    ...(maxVersionAheadMs !== undefined && { maxVersionAheadMs }),
    ...(history !== undefined && { history }),
    ...(maxPublicationBytes !== undefined && { maxPublicationBytes }),
    delivery,
    ...contractRules(contract),
    ...(presence !== undefined && { presence }),
    ...(occupancy && { occupancy: occupancyRules(occupancy, provider, params, topic, state) }),
  };
}

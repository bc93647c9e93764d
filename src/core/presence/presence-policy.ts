import type { Policy, TopicRules } from '../ports/policy.js';
import { baseTopicOf } from '../../protocol/topic-name.js';

/** Adds the presence topics to the application's topics. [L-11.1] */
export class PresencePolicy implements Policy {
  constructor(
    private readonly application: Policy,
    /** Returns the members of a presence topic with their position, as a snapshot. */
    private readonly snapshotOf: (topic: string) => unknown,
  ) {}

  isRefusal(error: unknown): boolean {
    return this.application.isRefusal?.(error) === true;
  }

  rulesFor(topic: string): TopicRules | undefined {
    const base = baseTopicOf(topic);
    const rules = base === undefined ? undefined : this.rulesFor(base);
    if (base === undefined || rules?.presence === undefined) return this.application.rulesFor(topic);
    return {
      canSubscribe: (user) => rules.canSubscribe(user),
      canPublish: () => false,
      snapshot: () => this.snapshotOf(topic),
      tellsPresenceOf: base,
    };
  }
}

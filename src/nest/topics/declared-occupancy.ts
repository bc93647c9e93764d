import type { OccupancyRules } from '../../core/ports/policy.js';
import { wrongOption } from '../options/live.errors.js';
import type { LiveTopicProvider } from './live-topic.decorator.js';
import type { LivePollOptions, LiveTopicOptions } from './live-topic.options.js';
import { pollOfNothing, pollWithSnapshotRule } from './topic.errors.js';
import type { TopicParams } from './topic-pattern.js';

/** What a class declares about topics that are read. */
export interface DeclaredOccupancy {
  readonly graceMs: number;
  readonly poll?: LivePollOptions | undefined;
}

/** Without hooks, `poll` and `occupancy` nobody has to know whether a topic is read. */
export function occupancyOf(
  { occupancy, poll, snapshot }: LiveTopicOptions,
  provider: LiveTopicProvider,
  name: string,
): DeclaredOccupancy | undefined {
  if (poll !== undefined) checkPoll(poll, name);
  if (poll !== undefined && provider.snapshot === undefined) throw pollOfNothing(name);
  if (poll !== undefined && typeof snapshot === 'string') throw pollWithSnapshotRule(name);
  const { onOccupied, onVacated } = provider;
  if ((occupancy ?? poll ?? onOccupied ?? onVacated) === undefined) return undefined;
  if (occupancy !== undefined && occupancy !== true && (typeof occupancy !== 'object' || occupancy === null))
    throw wrongOption(`occupancy of ${name}`, occupancy, 'true or an object');
  const { graceMs = 5_000 } = occupancy === true || occupancy === undefined ? {} : occupancy;
  if (!Number.isInteger(graceMs) || graceMs < 0)
    throw wrongOption(`occupancy.graceMs of ${name}`, graceMs, 'an integer >= 0');
  return { graceMs, poll };
}

function checkPoll(poll: LivePollOptions, name: string): void {
  if (typeof poll !== 'object' || (poll as unknown) === null)
    throw wrongOption(`poll of ${name}`, poll, 'an object such as { everyMs: 1000 }');
  const { everyMs, byKey } = poll;
  if (!Number.isInteger(everyMs) || everyMs < 10)
    throw wrongOption(`poll.everyMs of ${name}`, everyMs, 'an integer >= 10');
  if (byKey !== undefined && typeof byKey !== 'boolean')
    throw wrongOption(`poll.byKey of ${name}`, byKey, 'true or false');
}

/** The rules of one topic. `state` returns its checked snapshot. */
export function occupancyRules(
  { graceMs, poll }: DeclaredOccupancy,
  provider: LiveTopicProvider,
  params: TopicParams,
  topic: string,
  state: () => unknown,
): OccupancyRules {
  return {
    graceMs,
    occupied: () => provider.onOccupied?.(params, topic),
    vacated: () => provider.onVacated?.(params, topic),
    ...(poll !== undefined && { poll: { everyMs: poll.everyMs, byKey: poll.byKey === true, state } }),
  };
}

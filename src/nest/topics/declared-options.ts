import {
  type DeliveryRules,
  flushMsAllowed,
  isFlushMs,
  slowPolicies,
  type PresenceRules,
} from '../../core/ports/policy.js';
import { fieldRules, isRate } from '../../protocol/fields.js';
import { wrongOption } from '../options/live.errors.js';
import type { LivePresenceOptions, LiveTopicOptions } from './live-topic.options.js';
import type { DeclaredTopic } from './topic.policy.js';

/** How long keys stay in the snapshot, and how far ahead versions may be. */
export function boundsOf(
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

export function deliveryOf({ slow, maxRate, flushMs }: LiveTopicOptions, name: string): DeliveryRules {
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

export function maxBytesOf({ maxPublicationBytes }: LiveTopicOptions, name: string): number | undefined {
  if (
    maxPublicationBytes !== undefined &&
    !(Number.isInteger(maxPublicationBytes) && maxPublicationBytes > 0)
  )
    throw wrongOption(`maxPublicationBytes of ${name}`, maxPublicationBytes, 'an integer > 0');
  return maxPublicationBytes;
}

export function presenceOf(
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

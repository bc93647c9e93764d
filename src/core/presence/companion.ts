import { isTopicName, maxTopicLength } from '../../protocol/topic-name.js';

const suffix = '/presence';

/** The topic where a topic's members are told; `undefined` where its name would be too long. [L-11.1] */
export function companionOf(topic: string): string | undefined {
  return topic.length + suffix.length <= maxTopicLength ? topic + suffix : undefined;
}

/** The topic whose members this one would tell. */
export function companied(topic: string): string | undefined {
  if (!topic.endsWith(suffix)) return undefined;
  const base = topic.slice(0, -suffix.length);
  return isTopicName(base) ? base : undefined;
}

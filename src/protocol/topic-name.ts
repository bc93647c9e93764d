/** Longest topic name, in characters. [L-3.1] */
export const maxTopicLength = 128;

/** `.` and `..` are no segments: whatever makes a path or a URL of a topic would leave the topic by them. */
const topicName = /^(?!\.{1,2}(?:\/|$))[\w.~-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*$/;

/**
 * Whether `value` is a topic name: 1 to 128 characters, segments of `[A-Za-z0-9_.~-]+` but `.` and `..`, joined by `/`.
 * Names are compared as they are: nothing is decoded. Reserved topics (first segment starts with `$`) are no topic
 * names for a client. [L-3.1]
 */
export function isTopicName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxTopicLength && topicName.test(value);
}

const suffix = '/presence';

/** The topic where a topic's members are told; `undefined` where its name would be too long. [L-11.1] */
export function presenceTopicOf(topic: string): string | undefined {
  return topic.length + suffix.length <= maxTopicLength ? topic + suffix : undefined;
}

/** The topic whose members this one would tell. */
export function baseTopicOf(topic: string): string | undefined {
  if (!topic.endsWith(suffix)) return undefined;
  const base = topic.slice(0, -suffix.length);
  return isTopicName(base) ? base : undefined;
}

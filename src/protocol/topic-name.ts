/** Maximum length of a topic name, in characters. [L-3.1] */
export const maxTopicLength = 128;

/**
 * Excludes the segments `.` and `..`, because a path or URL built from the topic would escape it.
 */
const topicName = /^(?!\.{1,2}(?:\/|$))[\w.~-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*$/;

/**
 * Whether `value` is a topic name: 1 to 128 characters, segments of `[A-Za-z0-9_.~-]+` except `.`
 * and `..`, joined by `/`. Names are compared as they are, without decoding. No such name starts
 * with `$`: those are reserved. [L-3.1]
 */
export function isTopicName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxTopicLength && topicName.test(value);
}

/** The name that every client uses for the personal topic of its own user. [L-3.15] */
export const personalTopic = '$user';

/** Whether a client may name this topic. [L-3.1] */
export function isClientTopic(value: unknown): value is string {
  return value === personalTopic || isTopicName(value);
}

const suffix = '/presence';

/**
 * Topic that announces the members of `topic`, or `undefined` if its name would be too long.
 * [L-11.1]
 */
export function presenceTopicOf(topic: string): string | undefined {
  return topic.length + suffix.length <= maxTopicLength ? topic + suffix : undefined;
}

/**
 * Topic whose members this presence topic announces, or `undefined` if it is not a presence topic.
 */
export function baseTopicOf(topic: string): string | undefined {
  if (!topic.endsWith(suffix)) return undefined;
  const base = topic.slice(0, -suffix.length);
  return isTopicName(base) ? base : undefined;
}

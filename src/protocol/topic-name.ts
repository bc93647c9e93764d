/** Longest topic name, in characters. [L-3.1] */
export const maxTopicLength = 128;

const topicName = /^[\w.~-]+(?:\/[\w.~-]+)*$/;

/**
 * Whether `value` is a topic name: 1 to 128 characters, segments of `[A-Za-z0-9_.~-]+` joined by `/`.
 * Reserved topics (first segment starts with `$`) are no topic names for a client. [L-3.1]
 */
export function isTopicName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxTopicLength && topicName.test(value);
}

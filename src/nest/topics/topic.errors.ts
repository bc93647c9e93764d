export const topicWithoutAuthorization = (provider: string, pattern: string): Error =>
  new Error(
    `LiveModule: @LiveTopic('${pattern}') ${provider} has no canSubscribe(user, params). Say who may read the topic; ` +
      'for everybody: canSubscribe() { return true; }.',
  );

export const topicRequestScoped = (provider: string): Error =>
  new Error(
    `LiveModule: the topic ${provider} is request-scoped; a @LiveTopic provider must be a singleton.`,
  );

export const topicWithTwoSnapshots = (provider: string, pattern: string): Error =>
  new Error(
    `LiveModule: @LiveTopic('${pattern}') ${provider} has a snapshot() and the option "snapshot". Keep one of them.`,
  );

export const topicTwice = (one: string, onePattern: string, other: string, otherPattern: string): Error =>
  new Error(
    `LiveModule: @LiveTopic('${onePattern}') ${one} and @LiveTopic('${otherPattern}') ${other} declare the same topics. ` +
      'Keep one of them.',
  );

export const topicsOverlap = (
  one: string,
  onePattern: string,
  other: string,
  otherPattern: string,
  example: string,
): Error =>
  new Error(
    `LiveModule: @LiveTopic('${onePattern}') ${one} and @LiveTopic('${otherPattern}') ${other} both match '${example}', and ` +
      'neither is the more specific pattern. Change one, so that its topics are a part of those of the other, or none of them.',
  );

export const companied = (provider: string, pattern: string, other: string, otherPattern: string): Error =>
  new Error(
    `LiveModule: @LiveTopic('${pattern}') ${provider} is where the members of @LiveTopic('${otherPattern}') ${other} are ` +
      'told, which has "presence". Give one of them another name.',
  );

export const wrongPattern = (pattern: string, reason: string): Error =>
  new Error(
    `LiveModule: '${pattern}' is no topic pattern: ${reason}. Examples: 'fleet/:fleetId', 'chat/*', 'logs/**'.`,
  );

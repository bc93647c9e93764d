import { kindOf } from '../options/option-checks.js';

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

export const pollOfNothing = (provider: string): Error =>
  new Error(`LiveModule: "poll of ${provider}" has nothing to ask: the class has no snapshot().`);

export const pollWithSnapshotRule = (provider: string): Error =>
  new Error(
    `LiveModule: ${provider} has "poll" and the option "snapshot" as a rule. Leave the rule out: new subscribers of a polled ` +
      'topic get what was published last, by key with poll: { byKey: true }.',
  );

export const noKeySchema = (provider: string, value: unknown): Error => {
  const kind = typeof value === 'function' ? `the class ${value.name}` : kindOf(value);
  return new Error(
    `LiveModule: "key of ${provider}" is ${kind}. Write a Standard Schema of strings (zod, valibot, arktype and others).`,
  );
};

export const noSchema = (option: string, value: unknown): Error => {
  const kind =
    typeof value === 'function' ? `${value.name || 'a function'}, a class without rules` : kindOf(value);
  return new Error(
    `LiveModule: "${option}" is ${kind}. Write a Standard Schema (zod, valibot, arktype and others), or a class whose ` +
      'properties have decorators of class-validator.',
  );
};

export const asyncParams = (option: string): Error =>
  new Error(
    `LiveModule: "${option}" has a rule that answers later. The parameters of a topic are checked at once: move that ` +
      'rule to canSubscribe().',
  );

export const classTransformerMissing = (dto: string, cause: unknown): Error =>
  new Error(
    `LiveModule: the schema ${dto} is a class, which needs the package class-transformer: npm i class-transformer`,
    { cause },
  );

export const schemaOfNothing = (option: string, provider: string, reason: string): Error =>
  new Error(`LiveModule: "${option} of ${provider}" has nothing to check: ${reason}.`);

export const classWithoutTopic = (provider: string): Error =>
  new Error(
    `LiveModule: @LiveTopic() ${provider} has no topic. Write static readonly topic = defineTopic('fleet/:id', { … }) in ` +
      "the class, or name the pattern in the decorator: @LiveTopic('fleet/:id').",
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

import type { LatestRule } from '../../core/ports/broker.js';
import type { StandardSchema } from '../../protocol/standard-schema.js';
import { isTopicName } from '../../protocol/topic-name.js';
import type { TypedSchema } from '../options/live-contract.options.js';
import type { LiveTopicOptions } from './live-topic.options.js';
import type {
  NamesOf,
  ParamNames,
  PatternParams,
  TopicDeclaration,
  TopicSchemas,
  TypesOf,
} from './topic-declaration.js';
import { TopicPattern } from './topic-pattern.js';

/**
 * Declares topics with their types, once for the server and its clients. A class has it as
 * `static readonly topic = defineTopic('fleet/:fleetId', { data })`, below `@LiveTopic()`.
 *
 * @param pattern - as for `@LiveTopic`
 * @throws Error immediately if the pattern is invalid
 */
export function defineTopic<
  const Pattern extends string,
  Data extends TypedSchema = never,
  Snapshot extends LatestRule | TypedSchema = never,
  Params extends TypedSchema = never,
  ClientPublish extends TypedSchema = never,
  Key extends StandardSchema = never,
>(
  pattern: Pattern,
  options: Omit<LiveTopicOptions, keyof TopicSchemas> &
    TopicSchemas<Data, Snapshot, Params, ClientPublish, Key> = {},
): TopicDeclaration<Pattern, TypesOf<Data, Snapshot, Params, ClientPublish, Key>> {
  const segments = new TopicPattern(pattern).text.split('/');
  return {
    pattern,
    options: options as LiveTopicOptions,
    name: (params: PatternParams<Pattern>) => nameOf(segments, params) as NamesOf<Pattern>,
  } as TopicDeclaration<Pattern, TypesOf<Data, Snapshot, Params, ClientPublish, Key>>;
}

/**
 * The name of one topic of a pattern: `topic('fleet/:fleetId', { fleetId: 7 })` is `fleet/7`. A
 * value must be one segment, so that nothing in it can lead to another topic. Without parameters
 * it checks a name: `topic('fleet/7')`. A class with `defineTopic` has the same as `topic.name`.
 *
 * @throws TypeError if the pattern has `*` or `**`, or a value is no segment of a topic's name
 * @throws Error if the pattern is invalid
 */
export function topic<const Pattern extends string>(
  pattern: Pattern,
  ...[params]: [ParamNames<Pattern>] extends [never] ? [] : [params: PatternParams<Pattern>]
): NamesOf<Pattern> {
  return nameOf(new TopicPattern(pattern).text.split('/'), params ?? {}) as NamesOf<Pattern>;
}

function nameOf(segments: readonly string[], params: PatternParams<string>): string {
  const values: Readonly<Record<string, unknown>> = params;
  const parts = segments.map((segment) => {
    if (segment.includes('*')) throw new TypeError(`A topic with ${segment} has no name by parameters`);
    if (!segment.startsWith(':')) return segment;
    const name = segment.slice(1);
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const part = typeof value === 'number' ? String(value) : value;
    if (isTopicName(part) && !part.includes('/')) return part;
    throw new TypeError(`The parameter ${name} is no segment of a topic's name`);
  });
  const name = parts.join('/');
  if (isTopicName(name)) return name;
  throw new TypeError('The name of the topic is longer than 128 characters');
}

import type { JsonText } from '../../core/frame/json-text.js';
import type { SnapshotAt } from '../../core/stream/snapshot-at.js';
import type { LatestRule } from '../../core/ports/broker.js';
import type { LiveUser } from '../../core/ports/identity.js';
import type { InputOf, OutputOf } from '../../protocol/schema-types.js';
import type { StandardSchema } from '../../protocol/standard-schema.js';
import type { Field, JsonOf, shape } from '../../protocol/topic-types.js';
import type { TypedSchema } from '../options/live-contract.options.js';
import type { LiveTopicOptions } from './live-topic.options.js';
import type { TopicParams } from './topic-pattern.js';

/** Names of a pattern's topics: for `fleet/:fleetId`, `fleet/${string}`. */
export type NamesOf<Pattern extends string> = Pattern extends `${infer Segment}/${infer Rest}`
  ? `${SegmentOf<Segment>}/${NamesOf<Rest>}`
  : SegmentOf<Pattern>;
/** Any string for a parameter or wildcard of a pattern, otherwise the segment itself. */
export type SegmentOf<Segment extends string> = Segment extends `:${string}` | '*' | '**' ? string : Segment;

/** Values for the parameters of a pattern: for `fleet/:fleetId`, `{ fleetId: string | number }`. */
export type PatternParams<Pattern extends string> = Readonly<Record<ParamNames<Pattern>, string | number>>;
/** Names of a pattern's parameters: for `fleet/:fleetId`, `'fleetId'`. */
export type ParamNames<Pattern extends string> = Pattern extends `${infer Segment}/${infer Rest}`
  ? ParamNames<Segment> | ParamNames<Rest>
  : Pattern extends `:${infer Name}`
    ? Name
    : never;

/** The types that a topic's schemas declare. A type parameter is `never` without a schema. */
export interface TopicSchemas<
  Data extends TypedSchema = TypedSchema,
  Snapshot extends LatestRule | TypedSchema = LatestRule | TypedSchema,
  Params extends TypedSchema = TypedSchema,
  ClientPublish extends TypedSchema = TypedSchema,
  Key extends StandardSchema = StandardSchema,
> {
  /** Schema of what is published. */
  readonly data?: Data;
  /** Schema of what `snapshot()` returns, or which publications are the snapshot. */
  readonly snapshot?: Snapshot;
  /** Schema of the pattern's parameters. */
  readonly params?: Params;
  /** Schema of what clients publish. */
  readonly clientPublish?: ClientPublish;
  /** Schema of the keys. */
  readonly key?: Key & CheckedKey<Key>;
}
/** What a schema of keys has to be; a text that says what is wrong is nothing that fits. */
export type CheckedKey<Schema> = [OutputOf<Schema>] extends [string | undefined]
  ? unknown
  : 'key is no schema of strings';

/** One type if there is a schema, another if there is none. */
export type IfSchema<Schema, Then, Else> = [Schema] extends [never] ? Else : Then;

/** Types of a topic, as `defineTopic` finds them. They exist for the compiler only. */
export interface TopicTypes {
  /** What subscribers receive. */
  readonly data: unknown;
  /** What the application publishes. */
  readonly published: unknown;
  /** What clients publish. */
  readonly clientData: unknown;
  /** Keys that subscribers receive. */
  readonly key: unknown;
  /** Keys that are published. */
  readonly publishedKey: unknown;
  /** What subscribers start with, if a schema or rule says it. */
  readonly snapshot: unknown;
  /** What `snapshot()` has to return. */
  readonly state: unknown;
  /** What the methods of the class get. */
  readonly params: unknown;
}

/** The types that follow from the schemas of `defineTopic`. */
export interface TypesOf<Data, Snapshot, Params, ClientPublish, Key = never> extends TopicTypes {
  /** The schema's output, as JSON. */
  readonly data: IfSchema<Data, JsonOf<OutputOf<Data>>, unknown>;
  /** The schema's input. */
  readonly published: IfSchema<Data, InputOf<Data>, unknown>;
  /** The input of `clientPublish`, or of `data`. */
  readonly clientData: IfSchema<
    ClientPublish,
    InputOf<ClientPublish>,
    IfSchema<Data, InputOf<Data>, unknown>
  >;
  /** The schema's output as JSON, or the last data. `never` if nothing says it. */
  readonly snapshot: IfSchema<
    Snapshot,
    SnapshotByRule<
      Snapshot,
      IfSchema<Data, JsonOf<OutputOf<Data>>, unknown>,
      IfSchema<Key, OutputOf<Key>, string>
    >,
    never
  >;
  /** The schema's output. */
  readonly key: IfSchema<Key, OutputOf<Key>, string | undefined>;
  /** The schema's input. */
  readonly publishedKey: IfSchema<Key, InputOf<Key>, string | undefined>;
  /** The schema's input. */
  readonly state: IfSchema<Snapshot, InputOf<Snapshot>, unknown>;
  /** The schema's output, or strings. */
  readonly params: IfSchema<Params, OutputOf<Params>, TopicParams>;
}
/** What subscribers start with, by a schema, or by a rule and the data. */
export type SnapshotByRule<Snapshot, Data, Key = string> = Snapshot extends 'last'
  ? Data
  : Snapshot extends 'last-per-key'
    ? KeyedSnapshot<Data, Key & string>
    : JsonOf<OutputOf<Snapshot>>;
/** The last data of each key. Of declared keys, each may be missing. */
export type KeyedSnapshot<Data, Key extends string> = string extends Key
  ? Readonly<Record<string, Data>>
  : { readonly [One in Key]?: Data };

declare const types: unique symbol;

/** A topic's pattern and options, with the types of its schemas; made by `defineTopic`. */
export interface TopicDeclaration<Pattern extends string = string, Types extends TopicTypes = TopicTypes> {
  /** The pattern, such as `fleet/:fleetId`. */
  readonly pattern: Pattern;
  /** The options. */
  readonly options: LiveTopicOptions;
  /** Exists for the compiler only. */
  readonly [types]: Types;
  /**
   * The name of one topic: `fleet/7` for `{ fleetId: 7 }`.
   *
   * @throws TypeError if the pattern has `*` or `**`, or a value is no segment of a topic's name
   */
  name(params: PatternParams<Pattern>): NamesOf<Pattern>;
}

/** A declaration, whatever its types are: comparing them would cost the compiler much. */
export interface AnyTopicDeclaration extends Pick<TopicDeclaration, 'pattern' | 'options'> {
  /** Exists for the compiler only. */
  readonly [types]: object;
}

/** A class with `static readonly topic = defineTopic(…)`. */
export interface TopicClass {
  /** The declaration. */
  readonly topic: AnyTopicDeclaration;
  /** The methods of the class. */
  readonly prototype: object;
}

/** One of the types of a declared topic. */
export type TypeIn<Class extends TopicClass, Name extends keyof TopicTypes> = Field<
  Class['topic'][typeof types],
  Name
>;

/** The parameters that the methods of a class with `static readonly topic` get. */
export type ParamsOf<Class extends TopicClass> = TypeIn<Class, 'params'>;

/** What subscribers of the class's topics start with: by the declaration, or by its method. */
export type SnapshotIn<Class extends TopicClass> = [TypeIn<Class, 'snapshot'>] extends [never]
  ? Class['prototype'] extends { snapshot(...args: never[]): infer State }
    ? JsonOf<Exclude<Awaited<State>, SnapshotAt | undefined>>
    : undefined
  : TypeIn<Class, 'snapshot'>;

/** Entry of a class in a topic map. */
export interface TopicShapeOf<Class extends TopicClass> {
  /** Exists for the compiler only. */
  readonly [shape]: ShapeTypesOf<Class>;
}
/** The types of an entry. As members of an interface they are resolved when they are needed. */
export interface ShapeTypesOf<Class extends TopicClass> {
  /** What subscribers receive. */
  readonly data: TypeIn<Class, 'data'>;
  /** What subscribers start with. */
  readonly snapshot: SnapshotIn<Class>;
  /** What clients publish, if the class has `canPublish`. */
  readonly clientData: Class['prototype'] extends { canPublish(...args: never[]): unknown }
    ? TypeIn<Class, 'clientData'>
    : never;
  /** What the application publishes. */
  readonly published: TypeIn<Class, 'published'>;
  /** Keys that subscribers receive. */
  readonly key: TypeIn<Class, 'key'>;
  /** Keys that are published. */
  readonly publishedKey: TypeIn<Class, 'publishedKey'>;
}

/**
 * The topic map of classes with `static readonly topic`, for `LiveService<…>` and for the client's
 * `connect<…>()`: `interface AppTopics extends TopicsOf<typeof FleetTopic | typeof ChatTopic> {}`.
 * Import it in a front end with `import type`.
 */
export type TopicsOf<Class extends TopicClass> = {
  readonly [One in Class as NamesOf<One['topic']['pattern']>]: TopicShapeOf<One>;
};

/** The methods that the types of a topic allow. */
export interface TopicMethods<Params, State> {
  /** Takes the topic's parameters. */
  canSubscribe(user: LiveUser | null, params: Params, topic: string): boolean | Promise<boolean>;
  /** Returns what the schema of the snapshot accepts. */
  snapshot?(params: Params, topic: string): StateAnswer<State> | Promise<StateAnswer<State>>;
}
/** What `snapshot()` may return besides the state. */
export type StateAnswer<State> = State | SnapshotAt | JsonText | undefined;

/** A class with the methods of its topic. */
export interface RightTopicClass<Class extends TopicClass> {
  /** The methods of the class. */
  readonly prototype: TopicMethods<TypeIn<Class, 'params'>, TypeIn<Class, 'state'>>;
}

/** What `@LiveTopic()` returns. */
export interface TopicClassDecorator {
  /** Nearly all right classes match this signature, which costs the compiler little. */
  <Class extends TopicClass>(target: Class & RightTopicClass<Class>): void;
  /** A decorator may not return a `Mistake`, so the compiler's error quotes what is wrong. */
  <Class extends object>(target: Class): CheckedTopicClass<Class>;
}

/** What is wrong with a class. The compiler quotes the text, as nothing else fits its place. */
export interface Mistake<Text extends string> {
  /** What is wrong. */
  readonly mistake: Text;
}
/** What is wrong with a class for the compiler; `void` if nothing is. */
export type CheckedTopicClass<Class> = Class extends TopicClass
  ? Class['prototype'] extends {
      canSubscribe(
        user: LiveUser | null,
        params: TypeIn<Class, 'params'>,
        topic: string,
      ): boolean | Promise<boolean>;
    }
    ? Class['prototype'] extends { snapshot(...args: never[]): infer State }
      ? Class['prototype'] extends { snapshot(params: TypeIn<Class, 'params'>, topic: string): unknown }
        ? Exclude<Awaited<State>, SnapshotAt | JsonText | undefined> extends TypeIn<Class, 'state'>
          ? void
          : Mistake<'snapshot() returns something else than its schema accepts'>
        : Mistake<'snapshot(params) takes other parameters than the topic has'>
      : void
    : Mistake<'canSubscribe(user, params) takes other parameters than the topic has, or returns no boolean'>
  : Mistake<'the class has no static readonly topic = defineTopic(…)'>;

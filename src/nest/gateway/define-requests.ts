import type { Observable } from 'rxjs';
import type { Field, JsonOf, shape } from '../../protocol/topic-types.js';
import type { InputOf, OutputOf } from '../../protocol/schema-types.js';
import type { LiveRequestOptions } from './live-request.decorator.js';

/** A method and its schemas. */
export interface RequestMethod extends LiveRequestOptions {
  /** Name of the method. */
  readonly method: string;
}
/** Methods, some with schemas, by the message types that they handle. */
export type RequestMethods = Readonly<Record<string, string | RequestMethod>>;

/**
 * Says which method of a class with `@LiveHandlers()` handles which message type:
 * `static readonly requests = defineRequests({ 'trip.book': 'book' })`, or, with schemas as of
 * `@LiveRequest`, `{ 'trip.book': { method: 'book', data, answer } }`. The methods need no other
 * decorator. With `RequestsOf` the client is checked against them.
 */
export function defineRequests<const Methods extends RequestMethods>(methods: Methods): Methods {
  return methods;
}

/** A message that `LiveClient.request` sends, as `@MessageBody()` of its handler. */
export interface RequestMessage<Data = unknown> {
  /** The message type. */
  readonly type: string;
  /** The id of the request, which its answer repeats. */
  readonly id?: string | number;
  /** What the client sends. It is not checked, unless a pipe of yours does. */
  readonly data: Data;
}

/** A class with `@LiveHandlers()`. It may have `static readonly requests`. */
export interface HandlersClass {
  /** Methods by the message types that they handle. */
  readonly requests?: RequestMethods;
  /** The methods of the class. */
  readonly prototype: object;
}
/** A class with `static readonly requests = defineRequests(…)`. */
export interface RequestsClass extends HandlersClass {
  /** Methods by the message types that they handle. */
  readonly requests: RequestMethods;
}

/**
 * The request map of classes with `static readonly requests`, for the client's
 * `connect<AppTopics, RequestsOf<typeof TripHandlers | typeof ChatHandlers>>()`. Import it in a
 * front end with `import type`.
 */
export type RequestsOf<Class extends RequestsClass> = {
  readonly [Type in RequestTypeOf<Class>]: HandlerShape<HandlerOf<Class, Type>, Type>;
};
/** The message types that classes handle. */
export type RequestTypeOf<Class extends RequestsClass> = Class extends unknown
  ? keyof Class['requests'] & string
  : never;
/** The one of several classes that handles a message type. */
export type HandlerOf<Class extends RequestsClass, Type extends string> = Class extends unknown
  ? Type extends keyof Class['requests']
    ? Class
    : never
  : never;

/** Entry of a message type in a request map. */
export interface HandlerShape<Class extends RequestsClass, Type extends string> {
  /** Exists for the compiler only. */
  readonly [shape]: HandlerTypes<Class['prototype'], Field<Class['requests'], Type>>;
}
/** What a method is called with, and answers: by its schemas, or by its signature. */
export interface HandlerTypes<Methods, Entry> {
  /** The schema's input, or the `data` of the parameter that has one. */
  readonly data: Entry extends { readonly data: infer Schema }
    ? InputOf<Schema>
    : RequestDataOf<Field<Methods, MethodName<Entry>>>;
  /** What the client gets. `never` for a method that returns nothing, because it never answers. */
  readonly answer: Entry extends { readonly answer: infer Schema }
    ? JsonOf<OutputOf<Schema>>
    : AnswerIn<ReturnOf<Field<Methods, MethodName<Entry>>>>;
}
/** The method of an entry of `defineRequests`. */
export type MethodName<Entry> = Entry extends { readonly method: infer Name extends string }
  ? Name
  : Entry & string;
/** What the client gets of what a method returns. */
export type AnswerIn<Value> = JsonOf<
  Exclude<Value extends Observable<infer Each> ? Each : Value, undefined | void>
>;
/** The `data` of the parameter that has one. */
export type RequestDataOf<Method> = Method extends (...args: infer Parameters) => unknown
  ? [DataIn<Parameters[number]>] extends [never]
    ? undefined
    : DataIn<Parameters[number]>
  : never;
/** The `data` of a message. */
export type DataIn<Message> = Message extends { readonly data: infer Data } ? Data : never;
/** What a method returns or resolves with. */
export type ReturnOf<Method> = Method extends (...args: never[]) => infer Returned
  ? Awaited<Returned>
  : never;

/** What `@LiveHandlers()` demands of a class. A text says what is wrong, and nothing fits it. */
export type CheckedHandlersClass<Class extends HandlersClass> = Class extends RequestsClass
  ? [MethodName<Class['requests'][keyof Class['requests']]>] extends [keyof Class['prototype']]
    ? unknown
    : 'requests names a method that the class does not have'
  : unknown;

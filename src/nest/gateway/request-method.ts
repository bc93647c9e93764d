import type { Observable } from 'rxjs';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { InputOf, OutputOf } from '../../protocol/schema-types.js';

/**
 * A decorator that the compiler only accepts on a method that agrees with the schemas.
 *
 * @typeParam Method - the method's own type
 */
export type RequestDecorator<Data, Answer> = <Method extends (...args: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> & CheckedRequest<Method, Data, Answer>,
) => void;

/** What `@LiveRequest` demands of a method. A text says what is wrong, and nothing fits it. */
export type CheckedRequest<Method, Data, Answer> = Method extends (
  ...args: infer Parameters
) => infer Returned
  ? [Data] extends [never]
    ? CheckedAnswer<Returned, Answer>
    : TakesData<Parameters, OutputOf<Data>> extends true
      ? CheckedAnswer<Returned, Answer>
      : 'no parameter of the method takes the data of the schema'
  : never;

/**
 * What a method may return: nothing, the schema's input, or a promise or an Observable of it. A
 * method of type `unknown` is checked at run time only.
 */
export type CheckedAnswer<Returned, Answer> = [Answer] extends [never]
  ? unknown
  : [unknown] extends [Awaited<Returned>]
    ? unknown
    : [Exclude<EachOf<Awaited<Returned>>, undefined | void>] extends [InputOf<Answer>]
      ? unknown
      : 'the method returns something else than the schema of the answer accepts';
/** The values of an Observable, or the value itself. */
export type EachOf<Value> = Value extends Observable<infer Each> ? Each : Value;

/**
 * Whether a parameter accepts the data, or the message with it. A method that takes neither, but
 * nothing else than connections, needs no data.
 */
export type TakesData<Parameters extends readonly unknown[], Data> = {
  readonly [I in keyof Parameters]: Takes<Parameters[I], Data>;
}[number] extends false
  ? Parameters extends readonly []
    ? true
    : [Parameters[number]] extends [LiveConnection]
      ? true
      : false
  : true;
/** A message of a client with the data, as a method may take it. */
export interface MessageWithData<Data> {
  /** Names the request. */
  readonly type: string;
  /** Comes back in the answer. */
  readonly id?: string | number;
  /** What the client sent, after the schema. */
  readonly data: Data;
}

/** Whether one parameter accepts the data, or the message with it. */
export type Takes<Parameter, Data> = [Data] extends [Parameter]
  ? true
  : [MessageWithData<Data>] extends [Parameter]
    ? true
    : false;

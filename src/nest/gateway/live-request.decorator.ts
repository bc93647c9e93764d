import { applyDecorators, SetMetadata, type Type } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import type { LiveSchema, ValidateMode } from '../options/live-contract.options.js';
import type { RequestDecorator } from './request-method.js';

/** Schemas of a request and its answer, for `@LiveRequest`. */
export interface LiveRequestOptions<
  Data extends LiveSchema = LiveSchema,
  Answer extends LiveSchema = LiveSchema,
> {
  /**
   * Schema of the message's field `data`. The handler gets the schema's output there. Wrong data is
   * answered `validation-failed` with the path of what is wrong, and the handler is not called.
   */
  readonly data?: Data;
  /**
   * Schema of what the handler returns, and of each value of an Observable. The client gets the
   * schema's output. A wrong answer is logged, and the client is answered `internal`.
   */
  readonly answer?: Answer;
  /** When the schemas apply. @default that of `LiveModule.forRoot`, which is 'always' */
  readonly validate?: ValidateMode;
}

const LIVE_REQUEST = Symbol('nestjs-live:request');

/**
 * `@SubscribeMessage(type)` with schemas, for a method of a class with `@LiveHandlers()`. Guards
 * run before the check of the data, pipes after it. `LiveAsyncApiModule` describes both schemas.
 * The compiler checks that a parameter of the method takes the data, and what the method returns.
 *
 * @param type - the message type, as in the client's `request(type, data)`
 */
export function LiveRequest<Data extends LiveSchema = never, Answer extends LiveSchema = never>(
  type: string,
  options: LiveRequestOptions<Data, Answer> = {},
): RequestDecorator<Data, Answer> {
  return applyDecorators(SubscribeMessage(type), SetMetadata(LIVE_REQUEST, options));
}

/** What a method of a gateway declares, if it has the decorator. */
export function requestOptionsOf(gateway: Type, method: string): LiveRequestOptions | undefined {
  const declaring: unknown = (gateway.prototype as Record<string, unknown>)[method];
  return Reflect.getMetadata(LIVE_REQUEST, declaring as object) as LiveRequestOptions | undefined;
}

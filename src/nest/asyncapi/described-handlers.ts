import type { Type } from '@nestjs/common';
import { isVerb } from '../../core/verbs/verbs.js';
import { handlersOf } from '../gateway/gateway-metadata.js';
import { requestOptionsOf } from '../gateway/live-request.decorator.js';
import type { LiveSchema } from '../options/live-contract.options.js';
import { isDto } from '../topics/dto-check.js';
import { acceptsUndefined, type JsonSchema, jsonSchemaOf, type SchemaSide } from './json-schema.js';

/** A message type of the application's own. */
export interface DescribedHandler {
  readonly type: string;
  /** Fields of the message. */
  readonly payload: JsonSchema | undefined;
  readonly data?: JsonSchema | undefined;
  /** The schema of the data accepts that there is none. */
  readonly isDataOptional?: boolean;
  readonly answer?: JsonSchema | undefined;
}

/** A parameter with a class of class-validator is the message, unless the handler has schemas. */
export async function describedHandlers(gateway: Type): Promise<DescribedHandler[]> {
  const described: DescribedHandler[] = [];
  for (const [name, type] of handlersOf(gateway)) {
    if (typeof type !== 'string' || isVerb(type)) continue;
    const of = async (schema: LiveSchema | undefined, side: SchemaSide, field: string) =>
      schema && jsonSchemaOf(schema, side, `${field} '${type}' of ${gateway.name}`);
    const declared = requestOptionsOf(gateway, name);
    const types = (Reflect.getMetadata('design:paramtypes', gateway.prototype as object, name) ??
      []) as unknown[];
    const dto = declared?.data === undefined ? types.find((each) => isDto(each)) : undefined;
    described.push({
      type,
      payload: await of(dto as LiveSchema | undefined, 'input', 'the message'),
      data: await of(declared?.data, 'input', 'the data of the message'),
      isDataOptional: declared?.data !== undefined && (await acceptsUndefined(declared.data)),
      answer: await of(declared?.answer, 'output', 'the answer to the message'),
    });
  }
  return described;
}

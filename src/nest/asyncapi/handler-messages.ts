import type { DescribedHandler } from './described-handlers.js';
import { handlerId } from './document-ids.js';
import type { HoistedSchemas } from './hoisted.js';
import type { JsonSchema } from './json-schema.js';
import { fields } from './protocol-fields.js';

/** Messages of handlers of the application, and their answers. */
export function handlerMessages(
  handlers: readonly DescribedHandler[],
  schemas: HoistedSchemas,
): Record<string, JsonSchema> {
  const messages = handlers.flatMap((handler): [string, JsonSchema][] => [
    [handlerId(handler.type), requestOf(handler, schemas)],
    [handlerId(handler.type, 'answer'), answerOf(handler, schemas)],
  ]);
  return Object.fromEntries(messages);
}

function requestOf(
  { type, payload = {}, data, isDataOptional = false }: DescribedHandler,
  schemas: HoistedSchemas,
): JsonSchema {
  const name = `${handlerId(type)}.request`;
  if (data !== undefined)
    return message({ const: type }, { data: schemas.hoist(name, data) }, isDataOptional ? [] : ['data']);
  const { properties, required, ...rest } = schemas.hoist(name, payload);
  return {
    ...rest,
    ...message({ const: type }, properties as JsonSchema, (required as string[] | undefined) ?? []),
  };
}

/** A handler may answer with a message of any type. Otherwise its result is the data. [L-2.13] */
function answerOf({ type, answer }: DescribedHandler, schemas: HoistedSchemas): JsonSchema {
  if (answer === undefined) return message({ type: 'string' }, {}, []);
  const schema = schemas.hoist(`${handlerId(type)}.answer`, answer);
  const { properties, required = [] } = schema;
  const own = (properties as JsonSchema | undefined)?.['type'];
  if (own === undefined || !(required as string[]).includes('type'))
    return message({ const: type }, { data: schema }, ['data']);
  return { ...schema, ...message(own, properties as JsonSchema, required as string[]) };
}

function message(type: unknown, properties: JsonSchema, required: readonly string[]): JsonSchema {
  return {
    type: 'object',
    properties: { ...properties, type, id: fields.id },
    required: [...new Set(['type', ...required])],
  };
}

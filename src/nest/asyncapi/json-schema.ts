import type { StandardSchema } from '../../protocol/standard-schema.js';
import type { DtoClass, LiveSchema } from '../options/live-contract.options.js';
import { converterMissing, noConverter } from './asyncapi.errors.js';

/** A JSON Schema of draft 7, the dialect that AsyncAPI builds on. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Whether what goes into a schema is described, or what comes out of it. */
export type SchemaSide = 'input' | 'output';

/** The part of Standard JSON Schema (https://standardschema.dev/json-schema) that is used here. */
interface Converting {
  readonly jsonSchema?: Readonly<Record<SchemaSide, (options: { target: string }) => JsonSchema>>;
}

/**
 * JSON Schema of a topic's schema, made by the schema's own library.
 *
 * @param what - names the schema in an error
 * @throws Error if the library cannot convert it, or a package for that is missing
 */
export async function jsonSchemaOf(schema: LiveSchema, side: SchemaSide, what: string): Promise<JsonSchema> {
  try {
    return plain(await converted(schema, side, what));
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('LiveAsyncApi')) throw error;
    throw noConverter(what, error);
  }
}

/** Whether a schema accepts that there is no value. JSON Schema cannot say it. */
export async function acceptsUndefined(schema: LiveSchema): Promise<boolean> {
  if (!('~standard' in schema)) return false;
  try {
    return (await schema['~standard'].validate(undefined)).issues === undefined;
  } catch {
    return false;
  }
}

async function converted(schema: LiveSchema, side: SchemaSide, what: string): Promise<JsonSchema> {
  if (!('~standard' in schema)) return ofClass(schema, what);
  const { jsonSchema, vendor } = schema['~standard'] as StandardSchema['~standard'] & Converting;
  if (jsonSchema !== undefined) return jsonSchema[side]({ target: 'draft-07' });
  if (vendor === 'valibot') return ofValibot(schema, side, what);
  throw noConverter(what, new Error(`${vendor} has no JSON Schema converter`));
}

async function ofValibot(schema: StandardSchema, typeMode: SchemaSide, what: string): Promise<JsonSchema> {
  const { toJsonSchema } = await import('@valibot/to-json-schema').catch((cause: unknown) => {
    throw converterMissing('@valibot/to-json-schema', what, cause);
  });
  return toJsonSchema(schema as never, { typeMode, errorMode: 'ignore' }) as JsonSchema;
}

async function ofClass(dto: DtoClass, what: string): Promise<JsonSchema> {
  const { targetConstructorToSchema, validationMetadatasToSchemas } =
    await import('class-validator-jsonschema').catch((cause: unknown) => {
      throw converterMissing('class-validator-jsonschema', what, cause);
    });
  const options = { refPointerPrefix: '#/definitions/' };
  return { ...targetConstructorToSchema(dto, options), definitions: validationMetadatasToSchemas(options) };
}

/** Without the name of its dialect, which belongs to a document of its own. */
function plain({ $schema: _dialect, ...schema }: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema)) as JsonSchema;
}

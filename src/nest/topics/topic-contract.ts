import type { SchemaCheck } from '../../core/ports/contract.js';
import { isLater } from '../../core/ports/contract.js';
import type { StandardSchema } from '../../protocol/standard-schema.js';
import { type LiveSchema, type ValidateMode, validateModes } from '../options/live-contract.options.js';
import { wrongOption } from '../options/live.errors.js';
import { dtoCheck, immediateDtoCheck, isAsyncDto, isDto } from './dto-check.js';
import { asyncParams, noKeySchema, noSchema } from './topic.errors.js';

/** The schemas that a topic declares. */
export interface DeclaredSchemas {
  readonly data?: LiveSchema | undefined;
  readonly snapshot?: LiveSchema | undefined;
  readonly params?: LiveSchema | undefined;
  readonly clientPublish?: LiveSchema | undefined;
  readonly key?: StandardSchema | undefined;
}

/** The checks that a topic's schemas demand in this environment. */
export interface TopicContract {
  readonly data?: SchemaCheck | undefined;
  readonly clientData?: SchemaCheck | undefined;
  readonly snapshot?: SchemaCheck | undefined;
  /** Answers at once. */
  readonly params?: SchemaCheck | undefined;
  /** Of the application's keys. Answers at once. */
  readonly key?: SchemaCheck | undefined;
  /** Of clients' keys. Answers at once. */
  readonly clientKey?: SchemaCheck | undefined;
}

/**
 * Makes the checks, once, at the start.
 *
 * @throws Error if something is no schema, or the mode is unknown
 */
export async function contractOf(
  declared: DeclaredSchemas,
  mode: ValidateMode,
  name: string,
  isProduction = process.env['NODE_ENV'] === 'production',
): Promise<TopicContract> {
  const scope = scopeOf(mode, name, isProduction);
  const check = (field: keyof DeclaredSchemas) =>
    checkOf(declared[field], `${field} of ${name}`, field === 'params');
  if (declared.key !== undefined && !isStandardSchema(declared.key)) throw noKeySchema(name, declared.key);
  const [data, snapshot, params, clientPublish, key] = await Promise.all([
    check('data'),
    check('snapshot'),
    check('params'),
    check('clientPublish'),
    check('key'),
  ]);
  if (scope === 'nothing') return {};
  const clientData = clientPublish && data ? both(clientPublish, data) : (clientPublish ?? data);
  const ofClients = { clientData, params, clientKey: key };
  return scope === 'clients' ? ofClients : { data, snapshot, key, ...ofClients };
}

/**
 * What a mode has checked.
 *
 * @param isProduction - whether the mode 'development' trusts the application
 * @throws Error if the mode is unknown
 */
export function scopeOf(
  mode: ValidateMode,
  name: string,
  isProduction = process.env['NODE_ENV'] === 'production',
): 'nothing' | 'clients' | 'everything' {
  if (!validateModes.includes(mode))
    throw wrongOption(`validate of ${name}`, mode, "'always', 'development' or 'off'");
  if (mode === 'off') return 'nothing';
  return mode === 'development' && isProduction ? 'clients' : 'everything';
}

/** The check of a schema. @param option - names it in an error */
export async function checkOf(
  schema: unknown,
  option: string,
  isImmediate = false,
): Promise<SchemaCheck | undefined> {
  if (schema === undefined) return undefined;
  if (isStandardSchema(schema)) {
    const standard = schema['~standard'];
    return (value) => standard.validate(value);
  }
  if (!isDto(schema)) throw noSchema(option, schema);
  if (!isImmediate) return dtoCheck(schema);
  if (isAsyncDto(schema)) throw asyncParams(option);
  return immediateDtoCheck(schema);
}

/** Some schemas are functions, those of arktype among them. */
function isStandardSchema(schema: unknown): schema is StandardSchema {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false;
  const { '~standard': standard } = schema as Partial<StandardSchema>;
  return typeof standard?.validate === 'function';
}

/** The second check gets what the first one makes of the value. */
function both(first: SchemaCheck, second: SchemaCheck): SchemaCheck {
  return (value) => {
    const result = first(value);
    if (isLater(result))
      return result.then((later) => (later.issues === undefined ? second(later.value) : later));
    return result.issues === undefined ? second(result.value) : result;
  };
}

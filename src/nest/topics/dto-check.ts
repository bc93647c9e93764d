import { getMetadataStorage, validate, validateSync, type ValidationError } from 'class-validator';
import type { SchemaCheck } from '../../core/ports/contract.js';
import type { SchemaIssue, SchemaResult } from '../../protocol/standard-schema.js';
import type { DtoClass } from '../options/live-contract.options.js';
import { classTransformerMissing } from './topic.errors.js';

// Undecorated properties are dropped, as most schemas do. Values stay out of the errors.
const options = { whitelist: true, validationError: { target: false, value: false } } as const;

const rulesOf = (dto: DtoClass) => getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);

/** Whether this is a class with decorators of class-validator. */
export function isDto(schema: unknown): schema is DtoClass {
  return typeof schema === 'function' && rulesOf(schema as DtoClass).length > 0;
}

/** Whether a rule of the class says that it answers later. */
export function isAsyncDto(dto: DtoClass): boolean {
  const storage = getMetadataStorage();
  return rulesOf(dto).some(({ constraintCls: rule }) =>
    storage.getTargetValidatorConstraints(rule).some(({ async }) => async),
  );
}

/**
 * Makes an instance of the class and validates it. Answers later, because any rule may answer with
 * a promise, which `validateSync` would take for a yes.
 *
 * @throws Error if class-transformer is not installed
 */
export async function dtoCheck(dto: DtoClass): Promise<SchemaCheck> {
  const toInstance = await instantiator(dto);
  return (value) => {
    if (!isObject(value)) return noObject;
    const instance = toInstance(value);
    return validate(instance, options).then((errors) => resultOf(instance, errors));
  };
}

/** The same, for a class without rules that answer later. */
export async function immediateDtoCheck(dto: DtoClass): Promise<SchemaCheck> {
  const toInstance = await instantiator(dto);
  return (value) => {
    if (!isObject(value)) return noObject;
    const instance = toInstance(value);
    return resultOf(instance, validateSync(instance, options));
  };
}

async function instantiator(dto: DtoClass): Promise<(value: object) => object> {
  const { plainToInstance } = await import('class-transformer').catch((cause: unknown) => {
    throw classTransformerMissing(dto.name, cause);
  });
  return (value) => plainToInstance(dto as unknown as new () => object, withoutReserved(value) as object);
}

const reserved: readonly string[] = ['__proto__', 'constructor'];

/** class-transformer instantiates what a plain object names as its `constructor`. */
function withoutReserved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutReserved);
  if (typeof value !== 'object' || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value).filter(([key]) => !reserved.includes(key));
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutReserved(part)]));
}

const noObject: SchemaResult = { issues: [{ message: 'must be an object' }] };

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resultOf(instance: object, errors: readonly ValidationError[]): SchemaResult {
  return errors.length === 0
    ? { value: instance }
    : { issues: errors.flatMap((error) => issuesOf(error, [])) };
}

function issuesOf(
  { property, constraints, children = [] }: ValidationError,
  parents: readonly string[],
): SchemaIssue[] {
  // An object without rules has no property. TypeScript does not know that.
  const path = (property as string | undefined) === undefined ? parents : [...parents, property];
  const own = Object.values(constraints ?? {}).map((message) => ({ message, path }));
  return [...own, ...children.flatMap((child) => issuesOf(child, path))];
}

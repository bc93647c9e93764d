import type { StandardSchema } from '../../protocol/standard-schema.js';

/** A class with decorators of class-validator. */
export type DtoClass = abstract new (...args: never[]) => object;

/**
 * A Standard Schema (zod, valibot, arktype and others), or a class with decorators of
 * class-validator.
 */
export type LiveSchema = StandardSchema | DtoClass;

/**
 * A schema of zod, known by a member that costs the compiler less than `~standard`. TypeScript 7
 * compares with the types of a union in the order of their names: this one has to be before
 * `StandardSchema`.
 */
export interface SchemaOfZod {
  /** Zod's own types and checks. */
  readonly _zod: object;
}

/** A schema that `defineTopic` reads the types of. */
export type TypedSchema = SchemaOfZod | LiveSchema;

/** A Standard Schema of strings; one that also accepts `undefined` allows no key. */
export type KeySchema = StandardSchema<string | undefined>;

/**
 * When the schemas of topics apply:
 * - `always`: to everything, in every environment
 * - `development`: if `NODE_ENV` is `production`, only to what clients send, that is, to their
 *   publications and to `params`; that is not trusted in any environment
 * - `off`: never; they are only declarations
 *
 * Where a schema does not apply, its transforms do not run either.
 */
export type ValidateMode = 'always' | 'development' | 'off';

export const validateModes: readonly ValidateMode[] = ['always', 'development', 'off'];

/** Options about the schemas of topics. */
export interface LiveContractOptions {
  /** When the schemas of topics apply; a topic may set its own. @default 'always' */
  readonly validate?: ValidateMode;
}

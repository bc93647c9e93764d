import type { Field } from './topic-types.js';

/** What a schema accepts; for a class, its instances. */
export type InputOf<Schema> = SchemaType<Schema, 'input'>;
/** What a schema makes of a value; for a class, an instance. */
export type OutputOf<Schema> = SchemaType<Schema, 'output'>;
/**
 * One of the types of a schema; for a class, its instances. Zod's are looked up where zod itself
 * has them, since its `~standard` costs the compiler a multiple.
 */
export type SchemaType<Schema, Name extends 'input' | 'output'> = '_zod' extends keyof Schema
  ? Field<Schema['_zod'], Name>
  : '~standard' extends keyof Schema
    ? Field<NonNullable<Field<Schema['~standard'], 'types'>>, Name>
    : Schema extends abstract new (...args: never[]) => infer Instance
      ? Instance
      : unknown;

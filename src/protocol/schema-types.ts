import type { Field } from './topic-types.js';

/** What a schema accepts; for a class, its instances. */
export type InputOf<Schema> = SchemaType<Schema, 'input'>;
/** What a schema makes of a value; for a class, an instance. */
export type OutputOf<Schema> = SchemaType<Schema, 'output'>;
/** One of the types of a schema; for a class, its instances. */
export type SchemaType<Schema, Name extends 'input' | 'output'> = '~standard' extends keyof Schema
  ? Field<NonNullable<Field<Schema['~standard'], 'types'>>, Name>
  : Schema extends abstract new (...args: never[]) => infer Instance
    ? Instance
    : unknown;

import type { SchemaIssue, SchemaResult, StandardSchema } from 'nestjs-live';

/** A JSON Schema of the kinds that the server needs for its own topics. */
export interface PlainShape {
  readonly type: 'object' | 'array' | 'number' | 'integer' | 'string';
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, PlainShape>>;
  readonly items?: PlainShape;
}

/** All properties are required. */
export function objectOf(properties: Readonly<Record<string, PlainShape>>, description: string): PlainShape {
  return { type: 'object', description, properties };
}

/**
 * A Standard Schema with its JSON Schema, so that the server needs no schema library. It drops no
 * properties.
 */
export function plainSchema(shape: PlainShape): StandardSchema {
  const converted = (): object => documented(shape);
  const standard = {
    version: 1 as const,
    vendor: 'nestjs-live-server',
    validate: (value: unknown): SchemaResult => {
      const issues = [...issuesOf(shape, value, [])];
      return issues.length === 0 ? { value } : { issues };
    },
    // Standard JSON Schema: https://standardschema.dev/json-schema
    jsonSchema: { input: converted, output: converted },
  };
  return { '~standard': standard };
}

function* issuesOf(shape: PlainShape, value: unknown, path: readonly PropertyKey[]): Generator<SchemaIssue> {
  if (!isOf(shape, value)) yield { message: `must be ${shape.type}`, path };
  else if (Array.isArray(value) && shape.items !== undefined)
    for (const [i, item] of value.entries()) yield* issuesOf(shape.items, item, [...path, i]);
  else
    for (const [name, part] of Object.entries(shape.properties ?? {}))
      yield* issuesOf(part, (value as Record<string, unknown>)[name], [...path, name]);
}

function isOf({ type, enum: values }: PlainShape, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'string') return typeof value === 'string' && (values?.includes(value) ?? true);
  return type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
}

function documented({ properties, items, ...shape }: PlainShape): Readonly<Record<string, unknown>> {
  const parts = Object.entries(properties ?? {});
  return {
    ...shape,
    ...(properties && {
      properties: Object.fromEntries(parts.map(([name, part]) => [name, documented(part)])),
      required: Object.keys(properties),
    }),
    ...(items && { items: documented(items) }),
  };
}

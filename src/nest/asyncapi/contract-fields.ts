import type { JsonSchema } from './json-schema.js';

/** A field of a message, as a reader sees it. */
export interface Field {
  /** From the message, such as `data.stops[].lat`. */
  readonly path: string;
  readonly type: string;
  readonly description: string;
}

/** Levels below a message that are shown. */
const maxDepth = 5;

/**
 * The fields of a schema, those of objects and lists within it below them.
 *
 * @param named - the schemas of the document, which a schema may refer to
 */
export function fieldsOf(schema: JsonSchema, named: Readonly<Record<string, JsonSchema>>): Field[] {
  return fieldsBelow(schema, '', 0);

  function fieldsBelow(parent: JsonSchema, path: string, depth: number): Field[] {
    if (depth === maxDepth) return [];
    const { properties, items, additionalProperties, required = [] } = resolved(parent);
    const children = Object.entries((properties ?? {}) as Record<string, JsonSchema>).map(
      ([name, child]): [string, unknown] => [
        `${path}${path && '.'}${name}${(required as string[]).includes(name) ? '' : '?'}`,
        child,
      ],
    );
    children.push([`${path}[]`, items], [`${path}.<key>`, additionalProperties]);
    return children.flatMap(([at, child]) => {
      if (typeof child !== 'object' || child === null) return [];
      const found = resolved(child as JsonSchema);
      const { description = '' } = { ...found, ...child } as { readonly description?: string };
      return [{ path: at, type: typeOf(found), description }, ...fieldsBelow(found, at, depth + 1)];
    });
  }

  function resolved(found: JsonSchema): JsonSchema {
    const { $ref } = found;
    return typeof $ref === 'string' ? (named[$ref.slice('#/components/schemas/'.length)] ?? {}) : found;
  }
}

function typeOf({ type, const: constant, enum: values, oneOf, anyOf }: JsonSchema): string {
  if (constant !== undefined) return JSON.stringify(constant);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
  const ways = (oneOf ?? anyOf) as JsonSchema[] | undefined;
  if (ways !== undefined) return [...new Set(ways.map(typeOf))].join(' | ');
  return type === undefined ? 'any' : [type].flat().join(' | ');
}

import { wordId } from './document-ids.js';
import type { JsonSchema } from './json-schema.js';

/**
 * Named schemas of the document. A reference inside a schema counts from the root of the document,
 * so what a library puts into `definitions` or `$defs` of its schema moves here.
 */
export class HoistedSchemas {
  /** The schemas by name, for `components.schemas`. */
  readonly all: Record<string, JsonSchema> = {};
  private readonly titles = new Map<string, string>();

  /**
   * A title without special characters, such as `FleetFleetIdEvent`. Generators name what they make
   * of a schema after it. A name that looks like an earlier one is its own title.
   */
  titleOf(name: string): string {
    const words = name.split(/[^A-Za-z0-9]+/).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
    const title = words.join('');
    const holder = this.titles.get(title.toLowerCase()) ?? name;
    this.titles.set(title.toLowerCase(), holder);
    return holder === name ? title : name;
  }

  /** The schema with references into the document. @param name - where its definitions move to */
  hoist(name: string, schema: JsonSchema): JsonSchema {
    const hoisted = this.withReferences(name, schema);
    return hoisted['type'] === 'object' ? { title: this.titleOf(name), ...hoisted } : hoisted;
  }

  private withReferences(name: string, { definitions, $defs, ...schema }: JsonSchema): JsonSchema {
    const parts = { ...(definitions as object), ...($defs as object) } as Record<string, JsonSchema>;
    const text = JSON.stringify(schema);
    if (!text.includes('"$ref"')) return schema;
    const moved = this.rewritten(name, schema, parts);
    if (!text.includes('"$ref":"#"')) return moved;
    this.all[name] = moved;
    return { $ref: pointerOf(name) };
  }

  private rewritten(name: string, value: unknown, parts: Readonly<Record<string, JsonSchema>>): JsonSchema {
    const rewrite = (each: unknown): unknown => {
      if (Array.isArray(each)) return each.map(rewrite);
      if (typeof each !== 'object' || each === null) return each;
      const { $ref, ...rest } = each as Record<string, unknown>;
      if (typeof $ref !== 'string')
        return Object.fromEntries(Object.entries(each).map(([key, part]) => [key, rewrite(part)]));
      if ($ref === '#') return { $ref: pointerOf(name) };
      const part = unescaped($ref.split('/').at(-1) ?? '');
      const found = parts[part];
      // A class that is no class of rules, such as `Object`: nothing is known about it.
      if (found === undefined) return rest;
      const key = `${name}-${wordId(part)}`;
      if (!(key in this.all)) {
        this.all[key] = {};
        this.all[key] = rewrite(found) as JsonSchema;
      }
      return { $ref: pointerOf(key) };
    };
    return rewrite(value) as JsonSchema;
  }
}

function pointerOf(name: string): string {
  return `#/components/schemas/${name}`;
}

/** A key within a JSON pointer. */
function unescaped(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}

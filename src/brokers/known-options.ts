import { unknownName } from '../core/ports/option-names.js';

/**
 * Refuses fields that are no options: one that is ignored may be one that protects.
 *
 * @param owner - the class that has the options
 * @throws Error that names the first unknown one, and the known one that is most like it
 */
export function onlyKnown(
  owner: string,
  given: unknown,
  known: Readonly<Record<string, unknown>>,
  prefix = '',
): void {
  const found = unknownName(given, known);
  if (found === undefined) return;
  const { name, meant } = found;
  const hint = meant === undefined ? '' : `. Did you mean "${prefix}${meant}"?`;
  throw new Error(`${owner}: "${prefix}${name}" is no option of ${owner}${hint}`);
}

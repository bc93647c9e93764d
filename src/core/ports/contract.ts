import type { SchemaIssue, SchemaResult } from '../../protocol/standard-schema.js';

/** Checks a value that enters the server. The value to use may differ from the checked one. */
export type SchemaCheck = (value: unknown) => SchemaResult | PromiseLike<SchemaResult>;

/** Paths that an error names, and segments and characters of each: a value has any number. */
const maxPaths = 3;
const maxSegments = 16;
const name = /^[A-Za-z_$][\w$-]{0,31}$/;
const index = /^\d{1,9}$/;

/**
 * Says where a value is wrong, without any part of it: `"data.stops[3].lat" does not match the
 * topic's schema`. A key that does not look like a field's name is shown as `[?]`.
 *
 * @param owner - what has the schema
 */
export function mismatch(
  root: string,
  issues: readonly SchemaIssue[],
  owner: 'topic' | 'request' = 'topic',
): string {
  const paths = [...new Set([...issues].slice(0, 100).map(({ path }) => `"${root}${pathText(path)}"`))];
  const shown = paths.slice(0, maxPaths).join(', ');
  const verb = paths.length > 1 ? 'do' : 'does';
  return `${shown}${paths.length > maxPaths ? ' and more' : ''} ${verb} not match the ${owner}'s schema`;
}

/** Copies the path: libraries have arrays of their own, whose `map` returns something else. */
function pathText(path: SchemaIssue['path'] = []): string {
  const segments = [...path].slice(0, maxSegments).map((segment) => {
    const key = String(typeof segment === 'object' ? segment.key : segment);
    return index.test(key) ? `[${key}]` : name.test(key) ? `.${key}` : '[?]';
  });
  return segments.join('') + (path.length > maxSegments ? '…' : '');
}

/** Whether a check answers later. */
export function isLater<T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function';
}

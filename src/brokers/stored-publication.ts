import { isJson } from '../core/json-text.js';
import type { Publication } from '../core/ports/broker.js';
import { isKey } from '../core/verbs/fields.js';

/** Whether what an engine says may be an epoch: 1 to 64 printable characters of ASCII. */
export function isEpoch(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value);
}

/**
 * What an engine holds or carries as a publication, where others may write, too; `undefined` for what no instance has
 * published. The data goes into frames as it is, so it must be one JSON text.
 */
export function storedPublication(offset: number, data: string, key?: string): Publication | undefined {
  if (!Number.isSafeInteger(offset) || offset < 1 || !isJson(data)) return undefined;
  if (key === undefined) return { offset, data };
  return isKey(key) ? { offset, data, key } : undefined;
}

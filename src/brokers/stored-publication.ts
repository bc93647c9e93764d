import { isJson } from '../core/frame/json-text.js';
import { type Publication, type PublishOptions, removalData } from '../core/ports/broker.js';
import { isKey } from '../core/inbound/fields.js';

/** Whether what an engine says may be an epoch: 1 to 64 printable characters of ASCII. */
export function isEpoch(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value);
}

/**
 * How engines hold and carry a removal. To instances of earlier versions, which know data alone, it is the JSON text of
 * `null`; no data is ever stored as this text.
 */
export const storedRemoval = '\tnull';

/** The text that an engine is given for a publication. */
export function storedText(data: string, { remove }: PublishOptions): string {
  if (remove === true) return storedRemoval;
  return data === storedRemoval ? removalData : data;
}

/**
 * What an engine holds or carries as a publication, where others may write, too; `undefined` for what no instance has
 * published. The data goes into frames as it is, so it must be one JSON text.
 */
export function storedPublication(offset: number, data: string, key?: string): Publication | undefined {
  if (!Number.isSafeInteger(offset) || offset < 1 || !isJson(data)) return undefined;
  if (key === undefined) return { offset, data };
  if (!isKey(key)) return undefined;
  return data === storedRemoval ? { offset, data: removalData, key, removed: true } : { offset, data, key };
}

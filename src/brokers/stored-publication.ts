import { isJson } from '../core/frame/json-text.js';
import { type Publication, type BrokerPublishOptions, removalData } from '../core/ports/broker.js';
import { isKey } from '../protocol/fields.js';

/** Whether a value from an engine can be an epoch: 1 to 64 printable ASCII characters. */
export function isEpoch(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value);
}

/**
 * How engines store and carry a removal. Instances of earlier versions, which know data only, read
 * it as the JSON text `null`. No data is ever stored as this text.
 */
export const storedRemoval = '\tnull';

/** The text that an engine stores for a publication. */
export function storedText(data: string, { remove }: BrokerPublishOptions): string {
  if (remove === true) return storedRemoval;
  return data === storedRemoval ? removalData : data;
}

/**
 * Parses what an engine stores or carries, where others may also write. Returns `undefined` for
 * what no instance published. The data must be one JSON text, because it is sent unchanged.
 */
export function storedPublication(offset: number, data: string, key?: string): Publication | undefined {
  if (!Number.isSafeInteger(offset) || offset < 1 || !isJson(data)) return undefined;
  if (key === undefined) return { offset, data };
  if (!isKey(key)) return undefined;
  return data === storedRemoval ? { offset, data: removalData, key, removed: true } : { offset, data, key };
}

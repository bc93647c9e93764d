import type { Buffer } from 'node:buffer';
import { JsonText } from '../../core/frame/json-text.js';

/** An entry of the inbound stream as its publisher wrote it. */
export interface InboundEntry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, Buffer>;
}

/** What an entry of the stream says besides its topic and data, as for `LiveService.publish`. */
export type IngestOptions = IngestedDataOptions | IngestedRemovalOptions;

/** Options of an entry with data. */
export interface IngestedDataOptions {
  /** The entity that it is about: 1 to 128 characters. */
  readonly key?: string;
  /** An integer; an entry that is not newer stores nothing. */
  readonly version?: number;
  /** Absent, unlike in a removal. */
  readonly remove?: never;
  /** The field `id` of the entry, or the id that Redis gave it. */
  readonly idempotencyKey: string;
}

/** Options of an entry that removes a key. */
export interface IngestedRemovalOptions extends Omit<IngestedDataOptions, 'remove'> {
  /** The key that is removed. */
  readonly key: string;
  /** Says that the key is removed; such an entry has no data. */
  readonly remove: true;
}

/** A valid entry, as far as it can be checked without the topic's rules. */
export interface InboundPublication {
  readonly topic: string;
  /** Absent in a removal. */
  readonly data: JsonText | undefined;
  readonly options: IngestOptions;
}

/** Prefix that keeps entry ids used as idempotency keys apart from the publishers' own keys. */
const ownKeyHead = 'in:';

/**
 * Reads `topic`, `data` (JSON text), `key`, `id`, `version` and `remove`; ignores other fields.
 * Returns a text if the entry is invalid.
 */
export function readEntry({ id, fields }: InboundEntry, maxDataBytes: number): InboundPublication | string {
  const [topic, key, ownId, version] = ['topic', 'key', 'id', 'version'].map((name) => fields.get(name));
  const bytes = fields.get('data');
  if (topic === undefined) return 'the field "topic" is missing';
  const remove = fields.get('remove');
  if (remove !== undefined) {
    if (remove.toString() !== 'true') return 'the field "remove" is not "true"';
    if (bytes !== undefined) return 'the fields "data" and "remove" exclude each other';
    if (key === undefined) return 'the field "remove" needs a field "key"';
  } else if (bytes === undefined) return 'the field "data" is missing';
  if (bytes !== undefined && bytes.length > maxDataBytes)
    return `the data has ${String(bytes.length)} bytes, more than the allowed ${String(maxDataBytes)}`;
  if (version !== undefined && !/^-?\d{1,16}$/.test(version.toString('latin1')))
    return 'the version is not an integer';
  const data = bytes && jsonIn(bytes);
  if (bytes !== undefined && data === undefined)
    return 'the data is not JSON text in UTF-8 with at most 64 levels';
  return {
    topic: topic.toString(),
    data,
    options: {
      ...(key !== undefined && { key: key.toString() }),
      ...(version !== undefined && { version: Number(version.toString()) }),
      ...(remove !== undefined && { remove: true }),
      // Entry ids are unique, so an entry that is read twice is published once.
      idempotencyKey: ownId === undefined ? `${ownKeyHead}${id}` : ownId.toString(),
    } as IngestOptions,
  };
}

function jsonIn(bytes: Buffer): JsonText | undefined {
  try {
    return JsonText.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Maximum bytes of each field that a dead letter keeps. */
const longestKept = 65_536;

/** The fields of a dead letter: the entry's known fields, cut if very long, and the reason. */
export function deadLetterFields({ id, fields }: InboundEntry, reason: string): (string | Buffer)[] {
  const kept = ['topic', 'data', 'key', 'id', 'version', 'remove'].flatMap((name) => {
    const value = fields.get(name);
    return value === undefined ? [] : [name, value.subarray(0, longestKept)];
  });
  return ['entry', id, 'reason', reason, ...kept];
}

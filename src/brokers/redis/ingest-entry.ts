import type { Buffer } from 'node:buffer';
import { JsonText } from '../../core/frame/json-text.js';

/** An entry of the inbound stream, as somebody wrote it. */
export interface InboundEntry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, Buffer>;
}

/** What an entry says beside its data. */
export interface IngestOptions {
  readonly key?: string;
  readonly version?: number;
  /** Takes the key away: there is no data then. */
  readonly remove?: true;
  readonly idempotencyKey: string;
}

/** What an entry asks for, found right as far as it can be seen without the topic's rules. */
export interface InboundPublication {
  readonly topic: string;
  /** Absent in a removal. */
  readonly data: JsonText | undefined;
  readonly options: IngestOptions;
}

/** Before an entry's id where that is the idempotency key: publishers' own keys are apart from these. */
const ownKeyHead = 'in:';

/** Reads `topic`, `data` (JSON text), `key`, `id`, `version`, `remove`; other fields are ignored. A text says what is wrong. */
export function readEntry({ id, fields }: InboundEntry, maxDataBytes: number): InboundPublication | string {
  const [topic, key, ownId, version] = ['topic', 'key', 'id', 'version'].map((name) => fields.get(name));
  const bytes = fields.get('data');
  if (topic === undefined) return 'there is no field "topic"';
  const remove = fields.get('remove');
  if (remove !== undefined) {
    if (remove.toString() !== 'true') return 'the field "remove" is not "true"';
    if (bytes !== undefined) return 'there is a field "data" beside "remove"';
    if (key === undefined) return 'there is no field "key" beside "remove"';
  } else if (bytes === undefined) return 'there is no field "data"';
  if (bytes !== undefined && bytes.length > maxDataBytes)
    return `the data has ${String(bytes.length)} bytes, and at most ${String(maxDataBytes)} are taken`;
  if (version !== undefined && !/^-?\d{1,16}$/.test(version.toString('latin1')))
    return 'the version is no integer';
  const data = bytes && jsonIn(bytes);
  if (bytes !== undefined && data === undefined)
    return 'the data is no JSON text in UTF-8 of at most 64 levels';
  return {
    topic: topic.toString(),
    data,
    options: {
      ...(key !== undefined && { key: key.toString() }),
      ...(version !== undefined && { version: Number(version.toString()) }),
      ...(remove !== undefined && { remove: true }),
      // The entry's id never comes twice, so that an entry that is read twice is published once.
      idempotencyKey: ownId === undefined ? `${ownKeyHead}${id}` : ownId.toString(),
    },
  };
}

function jsonIn(bytes: Buffer): JsonText | undefined {
  try {
    return JsonText.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Bytes of one field that a dead letter keeps. */
const longestKept = 65_536;

/** The fields of a dead letter: those of the entry that mean something, cut where they are very long, and why. */
export function deadLetterFields({ id, fields }: InboundEntry, reason: string): (string | Buffer)[] {
  const kept = ['topic', 'data', 'key', 'id', 'version', 'remove'].flatMap((name) => {
    const value = fields.get(name);
    return value === undefined ? [] : [name, value.subarray(0, longestKept)];
  });
  return ['entry', id, 'reason', reason, ...kept];
}

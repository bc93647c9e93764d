import { LiveError } from '../../protocol/live.error.js';
import { jsonTextOf } from '../frame/json-text.js';
import { removalData } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { TopicRules } from '../ports/policy.js';
import type { PublicationOptions } from './broker-options.js';
import { isKey, maxKeyLength } from '../../protocol/fields.js';

/**
 * Returns the JSON text of the application's data, or `removalData` for a removal.
 *
 * @param textOf - makes the text of data. @default as JSON
 * @throws LiveError `validation-failed` for invalid options, alone or with this data
 */
export function publicationText(
  data: unknown,
  options: PublicationOptions,
  textOf: (data: unknown) => string | Promise<string> = plainText,
): string | Promise<string> {
  const { key, idempotencyKey, version, remove } = options;
  if (key !== undefined && !isKey(key)) throw invalid(`A key has 1 to ${String(maxKeyLength)} characters`);
  if (idempotencyKey !== undefined && !isKey(idempotencyKey))
    throw invalid(`An idempotency key has 1 to ${String(maxKeyLength)} characters`);
  if (version !== undefined && !Number.isSafeInteger(version)) throw invalid('A version is an integer');
  if (remove !== undefined && (remove as unknown) !== true) throw invalid('"remove" is true or absent');
  if (remove === undefined) return textOf(data);
  if (key === undefined) throw invalid('A removal needs the key that it removes');
  if (data !== undefined) throw invalid('A removal has no data: pass undefined');
  return removalData;
}

function plainText(data: unknown): string {
  const text = jsonTextOf(data);
  if (text === undefined) throw invalid('The data has no JSON text');
  return text;
}

/**
 * Refuses a version too far ahead of the clock. Otherwise one publisher with a wrong clock could
 * block its key until that time.
 *
 * @throws LiveError `validation-failed`
 */
export function checkVersionAhead(
  topic: string,
  { version }: PublicationOptions,
  { maxVersionAheadMs }: TopicRules,
  { clock, observer }: { readonly clock: Clock; readonly observer: Observer },
): void {
  if (version === undefined || maxVersionAheadMs === undefined) return;
  const aheadMs = Math.round(version - clock.wallMs());
  if (aheadMs <= maxVersionAheadMs) return;
  observer.versionRefused(topic);
  throw invalid(
    `The version is ${String(aheadMs)} ms ahead of the server's clock, and may be ${String(maxVersionAheadMs)}`,
  );
}

function invalid(message: string): LiveError {
  return new LiveError('validation-failed', message);
}

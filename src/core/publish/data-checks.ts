import { isKey, mustBe } from '../../protocol/fields.js';
import { LiveError } from '../../protocol/live.error.js';
import type { SchemaIssue, SchemaResult } from '../../protocol/standard-schema.js';
import { JsonText, jsonTextOf } from '../frame/json-text.js';
import type { Clock } from '../ports/clock.js';
import { type SchemaCheck, isLater, mismatch } from '../ports/contract.js';
import { inTime } from '../ports/deadline.js';
import type { Observer } from '../ports/observer.js';
import type { TopicRules } from '../ports/policy.js';
import type { PublicationOptions } from './broker-options.js';
import { publicationText } from './publication-options.js';

type Issues = readonly SchemaIssue[];

/** Checks published data once, before the broker gets it. [L-4.13] */
export class DataChecks {
  constructor(
    private readonly clock: Clock,
    private readonly observer: Pick<Observer, 'failed'>,
    /** Milliseconds for a check that answers later. */
    private readonly timeoutMs: number,
  ) {}

  /**
   * Returns what the check makes of a publication's key.
   *
   * @throws LiveError `validation-failed` for a key that does not match, or is none afterwards;
   * `internal` if the check throws or answers later
   */
  keyOf(topic: string, check: SchemaCheck | undefined, key: string | undefined): string | undefined {
    if (check === undefined) return key;
    try {
      const checked = check(key);
      if (!isLater(checked)) return keyIn(checked, key);
      checked.then(undefined, () => {});
      throw new Error('The schema of keys answers later, and must answer at once');
    } catch (error) {
      throw this.publicError(topic, error);
    }
  }

  /** The options with the checked key. @throws LiveError as `keyOf` */
  checkedOptions(topic: string, options: PublicationOptions, { checkKey }: TopicRules): PublicationOptions {
    if (checkKey === undefined) return options;
    const { key: _unchecked, ...others } = options;
    const key = this.keyOf(topic, checkKey, options.key);
    return key === undefined ? others : { ...others, key };
  }

  /**
   * Returns the JSON text of what the application publishes, or a promise of it.
   *
   * @throws LiveError as `publicationText` and `textOf`
   */
  applicationText(
    topic: string,
    data: unknown,
    options: PublicationOptions,
    { checkData: check, wrongParams }: TopicRules,
  ): string | Promise<string> {
    if (wrongParams !== undefined) throw new LiveError('validation-failed', wrongParams);
    return publicationText(data, options, check && ((value) => this.textOf(topic, check, value)));
  }

  /**
   * Returns the JSON text of what the check makes of the data; a promise only if the check answers
   * later. What is checked is what is sent: the original spelling of a `JsonText` could repeat a
   * field, and other parsers take the first one.
   *
   * @throws LiveError `validation-failed` for data that does not match; `internal` if the check
   * throws. A promise may also reject with `unavailable`, if the check is late
   */
  textOf(topic: string, check: SchemaCheck, data: unknown): string | Promise<string> {
    const value = data instanceof JsonText ? valueOf(data) : data;
    try {
      const checked = check(value);
      return isLater(checked) ? this.later(topic, checked) : textOf(checked);
    } catch (error) {
      throw this.publicError(topic, error);
    }
  }

  private async later(topic: string, checked: PromiseLike<SchemaResult>): Promise<string> {
    const late = (): LiveError =>
      new LiveError('unavailable', 'The data cannot be checked now', { retryAfterMs: 1_000 });
    try {
      return textOf(await inTime(this.clock, this.timeoutMs, checked, late));
    } catch (error) {
      throw this.publicError(topic, error);
    }
  }

  private publicError(topic: string, error: unknown): LiveError {
    if (error instanceof LiveError && error.code === 'validation-failed') return error;
    const late = error instanceof LiveError && error.code === 'unavailable' ? error : undefined;
    const problem = late === undefined ? 'threw' : `did not answer within ${String(this.timeoutMs)} ms`;
    const said = new Error(`The schema of ${topic} ${problem}`, late ? undefined : { cause: error });
    this.observer.failed('checking published data', said);
    return late ?? new LiveError('internal', 'The server failed to check the data');
  }
}

function textOf({
  value,
  issues,
}: {
  readonly value?: unknown;
  readonly issues?: Issues | undefined;
}): string {
  if (issues !== undefined) throw wrong(issues);
  const text = jsonTextOf(value);
  if (text === undefined) throw new LiveError('validation-failed', 'The data has no JSON text');
  // JSON writes Infinity as `null`, which no longer matches. Most data has neither.
  const path = text.includes('null') ? infinityIn(value) : undefined;
  if (path !== undefined) throw wrong([{ message: 'must be finite', path }]);
  return text;
}

/** A key cannot become none: a removal needs it, and a publication would go to no entity. */
function keyIn(
  { value, issues }: { readonly value?: unknown; readonly issues?: Issues | undefined },
  given: string | undefined,
): string | undefined {
  if (issues !== undefined) throw wrong(issues, 'key');
  if (isKey(value) || (value === undefined && given === undefined)) return value;
  throw wrong([{ message: mustBe('key') }], 'key');
}

function wrong(issues: Issues, root: 'data' | 'key' = 'data'): LiveError {
  const error = new LiveError('validation-failed', mismatch(root, issues));
  // Never sent, and not a parameter: clients also have the class.
  error.cause = issues;
  return error;
}

/** Path of the first number that JSON cannot represent. */
function infinityIn(value: unknown): string[] | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : [];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, part] of Object.entries(value)) {
    const path = infinityIn(part);
    if (path !== undefined) return [key, ...path];
  }
  return undefined;
}

/** Text that was trusted unchecked may be no JSON. */
function valueOf(data: JsonText): unknown {
  try {
    return data.value;
  } catch {
    throw new LiveError('validation-failed', 'The data is not valid JSON');
  }
}

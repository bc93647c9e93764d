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

function wrong(issues: Issues): LiveError {
  const error = new LiveError('validation-failed', mismatch('data', issues));
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

import { isDeeperThan, maxDataDepth } from '../../protocol/json-depth.js';
import { LiveError } from '../../protocol/live.error.js';

/**
 * One JSON value in its original spelling. It is published without parsing and serializing it, so
 * no number changes, such as an integer beyond 2^53 or `1e400`.
 */
export class JsonText {
  private constructor(
    /** The value as it was written. */
    readonly text: string,
  ) {}

  /**
   * Checks the text, without changing it.
   *
   * @throws LiveError `validation-failed` for invalid JSON, or brackets nested deeper than 64
   * levels
   */
  static parse(text: string): JsonText {
    if (isDeeperThan(text, maxDataDepth))
      throw new LiveError('validation-failed', `JSON may be at most ${String(maxDataDepth)} levels deep`);
    if (!isJson(text)) throw new LiveError('validation-failed', 'The data is not valid JSON');
    return new JsonText(text);
  }

  /** Accepts text without a check. Text that is not one JSON value would break every subscriber. */
  static dangerouslyTrust(text: string): JsonText {
    return new JsonText(text);
  }

  /** The parsed value, parsed on each access. */
  get value(): unknown {
    return JSON.parse(this.text);
  }

  /** The parsed value, for `JSON.stringify`. */
  toJSON(): unknown {
    return this.value;
  }
}

/**
 * JSON text of a value, or `undefined` for values that JSON cannot represent: functions, cycles,
 * BigInt.
 */
export function jsonTextOf(data: unknown): string | undefined {
  if (data instanceof JsonText) return data.text;
  try {
    return JSON.stringify(data) as string | undefined;
  } catch {
    return undefined;
  }
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

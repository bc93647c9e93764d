import { isDeeperThan, maxDataDepth } from '../../protocol/json-depth.js';
import { LiveError } from '../../protocol/live.error.js';

/**
 * One JSON value as it was written. It is published without being written again, so that no number changes, such as an
 * integer beyond 2^53 or `1e400`, and no byte is added.
 *
 * @publicApi
 */
export class JsonText {
  private constructor(readonly text: string) {}

  /** @throws LiveError `validation-failed` for what is no JSON, or has brackets nested deeper than 64 levels */
  static parse(text: string): JsonText {
    if (isDeeperThan(text, maxDataDepth))
      throw new LiveError('validation-failed', `JSON may be at most ${String(maxDataDepth)} levels deep`);
    if (!isJson(text)) throw new LiveError('validation-failed', 'The data is no JSON text');
    return new JsonText(text);
  }

  /** Of text that is known to be one JSON value: anything else would break every subscriber. */
  static dangerouslyTrust(text: string): JsonText {
    return new JsonText(text);
  }

  /** What the text says, parsed at each call. */
  get value(): unknown {
    return JSON.parse(this.text);
  }

  toJSON(): unknown {
    return this.value;
  }
}

/** The JSON text of a value; `undefined` for what JSON cannot say: functions, cycles, BigInt. */
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

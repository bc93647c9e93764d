import type { HistoryRules } from '../../core/ports/broker.js';
import { defaultHistory } from '../../core/ports/limits.js';
import { optionError, wrongOption } from './live.errors.js';

/** What kind of value an option holds, without showing a string: it may be a secret. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string')
    return value === '' ? 'an empty string' : `a string of ${value.length} characters`;
  if (typeof value === 'number') return `the number ${value}`;
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

/** A numeric option, or `fallback` if absent. Throws a start error outside of `least…most`. */
export function numberOption(
  option: string,
  value: unknown,
  { fallback, least, most }: { readonly fallback: number; readonly least: number; readonly most: number },
): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw optionError(option, `is ${kindOf(value)}`, `Write a number from ${least} to ${most}`);
}

/** A whole number; `fallback` when it is absent. Throws a start error outside of `least…most`. */
export function integerOption(
  option: string,
  value: unknown,
  { fallback, least, most }: { readonly fallback: number; readonly least: number; readonly most: number },
): number {
  const number = value ?? fallback;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most)
    return number;
  throw wrongOption(option, number, `an integer from ${String(least)} to ${String(most)}`);
}

/** A text of this pattern; no secret, since a start error shows it. */
export function textOption(option: string, value: unknown, pattern: RegExp, allowed: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw wrongOption(option, value, allowed);
}

/** A history's limits with their defaults. Throws a start error that names the wrong one. */
export function historyOption(nameOf: (field: string) => string, given: Partial<HistoryRules>): HistoryRules {
  const rules = { ...defaultHistory, ...given };
  for (const [field, value] of Object.entries(rules)) {
    if (!Number.isInteger(value) || value < 0) throw wrongOption(nameOf(field), value, 'an integer >= 0');
  }
  return rules;
}

/** An absolute http(s) URL without a user name. Throws a start error that never shows the value. */
export function urlOption(option: string, value: unknown): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw optionError(
      option,
      `is ${kindOf(value)} that is no http address`,
      "Write one like 'https://host/path'",
    );
  }
  if (url.username || url.password) {
    throw optionError(option, 'has a user name or password in it', 'Leave them out');
  }
  return url;
}

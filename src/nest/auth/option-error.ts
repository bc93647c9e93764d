/** A start error: names the option, what is wrong with it, and what to write instead. Give it no secret value. */
export function optionError(option: string, problem: string, fix: string): Error {
  return new Error(`LiveModule: option ${option} ${problem}; ${fix}.`);
}

/** What kind of value an option holds, without showing a string: it may be a secret. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string')
    return value === '' ? 'an empty string' : `a string of ${value.length} characters`;
  if (typeof value === 'number') return `the number ${value}`;
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

/** An option that counts something; `fallback` when it is absent. Throws a start error outside of `least…most`. */
export function numberOption(
  option: string,
  value: unknown,
  { fallback, least, most }: { readonly fallback: number; readonly least: number; readonly most: number },
): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw optionError(option, `is ${kindOf(value)}`, `write a number from ${least} to ${most}`);
}

/** An absolute http(s) URL without a user name in it. Throws a start error; the value is not in its text. */
export function urlOption(option: string, value: unknown): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw optionError(
      option,
      `is ${kindOf(value)} that is no http address`,
      "write one like 'https://host/path'",
    );
  }
  if (url.username || url.password) {
    throw optionError(option, 'has a user name or password in it', 'leave them out');
  }
  return url;
}

/** The option, which must be a whole number between the bounds. */
export function whole(
  options: object,
  name: string,
  [fallback, min, max]: readonly [number, number, number],
  where = '',
): number {
  const value: unknown = (options as Record<string, unknown>)[name] ?? fallback;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw wrong(`${where}${name}`, `a whole number from ${String(min)} to ${String(max)}`);
}

export function wrong(option: string, allowed: string): Error {
  return new Error(`NatsBroker: "${option}" must be ${allowed}.`);
}

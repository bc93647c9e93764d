import fc from 'fast-check';

/** A right vehicle, in ASCII. */
export const vehicle = fc.record(
  {
    id: fc.string({ minLength: 1, maxLength: 16, unit: 'grapheme-ascii' }),
    lat: fc.double({ min: -90, max: 90, noNaN: true }),
    lon: fc.double({ noNaN: true, noDefaultInfinity: true }),
    speed: fc.double({ min: 0, max: 1e9, noNaN: true }),
    tags: fc.array(fc.string(), { maxLength: 3 }),
    stops: fc.array(fc.record({ name: fc.string(), at: fc.maxSafeInteger() }), { maxLength: 3 }),
    state: fc.constantFrom('moving', 'parked'),
    driver: fc.option(fc.record({ name: fc.string() })),
  },
  { requiredKeys: ['id', 'lat', 'lon', 'tags', 'stops', 'state', 'driver'] },
);

/** Replacements of a part: values near the limits, of other types, and names with a meaning. */
const part = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    '',
    'moving',
    'x'.repeat(16),
    'x'.repeat(17),
    '1',
    0,
    -1,
    1.5,
    90,
    -90,
    90.000_001,
    1e308,
    [],
    [[]],
    {},
    [null],
    [{}],
    [[{ name: 'a', at: 1 }]],
    { name: 'a', at: 1 },
    { name: 'a', at: '1' },
    { length: 0 },
    { 0: 'a', length: 1 },
    { toString: 'a' },
    { constructor: 'a' },
    { constructor: { name: 'Object' } },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const keys = fc.constantFrom(
  'id',
  'lat',
  'lon',
  'speed',
  'tags',
  'stops',
  'state',
  'driver',
  'name',
  'at',
  'more',
  'constructor',
  'toJSON',
  'length',
);

/** One change: at the part that `walk` leads to, of a kind. */
export const mutation = fc.record({
  walk: fc.array(fc.nat(7), { maxLength: 3 }),
  kind: fc.constantFrom('replace', 'remove', 'set', 'push', 'wrap'),
  key: keys,
  value: part,
});
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

/** A copy of the value with a copy of the change in it, because runs share the change. */
export const mutate = (value: unknown, change: Mutation): unknown =>
  changed(structuredClone(value), structuredClone(change));

/** Changes the value in place where it can, and returns it. */
function changed(value: unknown, { walk: [step, ...rest], ...change }: Mutation): unknown {
  const isOpen = typeof value === 'object' && value !== null;
  if (step !== undefined && isOpen) {
    const names = Object.keys(value);
    const name = names[step % Math.max(1, names.length)];
    if (name === undefined) return value;
    const parts = value as Record<string, unknown>;
    if (change.kind === 'remove' && rest.length === 0) delete parts[name];
    else parts[name] = changed(parts[name], { walk: rest, ...change });
    return value;
  }
  if (change.kind === 'wrap') return [value];
  if (change.kind === 'push' && Array.isArray(value)) return [...(value as unknown[]), change.value];
  if (change.kind === 'set' && isOpen && !Array.isArray(value))
    return Object.assign(value, { [change.key]: change.value });
  return change.kind === 'replace' ? change.value : value;
}

import { describe, expect, it } from 'vitest';
import { mismatch } from './contract.js';

const said = (...paths: (readonly (PropertyKey | { readonly key: PropertyKey })[])[]): string =>
  mismatch(
    'data',
    paths.map((path) => ({ message: 'secret', path })),
  );
const rest = "match the topic's schema";

describe('mismatch', () => {
  it('[L-4.13] a path is shown with names and indices', () => {
    expect(said(['stops', 3, { key: 'lat' }])).toBe(`"data.stops[3].lat" does not ${rest}`);
    expect(mismatch('data', [{ message: 'secret' }])).toBe(`"data" does not ${rest}`);
  });

  it('[L-4.13] a path of an array of a library is shown like any other', () => {
    class Path extends Array<PropertyKey> {
      constructor(...keys: PropertyKey[]) {
        super();
        this.push(...keys);
      }
    }
    expect([said(new Path()), said(new Path('a', 1))]).toEqual([
      `"data" does not ${rest}`,
      `"data.a[1]" does not ${rest}`,
    ]);
  });

  it('[L-4.13] a key that does not look like the name of a field is not shown', () => {
    const keys = ['a b', '', 'é', '<script>', 'x'.repeat(33), Symbol('secret'), '\u2028'];
    for (const key of keys) expect(said(['a', key, 'b'])).toBe(`"data.a[?].b" does not ${rest}`);
  });

  it('[L-4.13] an error shows at most three paths of at most 16 keys', () => {
    expect(said(['a'], ['b'], ['a'], ['c'], ['d'])).toBe(
      `"data.a", "data.b", "data.c" and more do not ${rest}`,
    );
    const long = said(Array(10_000).fill('x'.repeat(32)));
    expect([long.length < 600, long.includes('…')]).toEqual([true, true]);
  });
});

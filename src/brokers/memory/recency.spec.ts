import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Place, Recency } from './recency.js';

describe('Recency', () => {
  it('values stay in the order of their last use, whatever is used and removed', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('use', 'use', 'remove'), fc.nat(5)));
    fc.assert(
      fc.property(steps, (all) => {
        const places = Array.from({ length: 6 }, (_, i) => new Place(i));
        const recency = new Recency<number>();
        let expected: number[] = [];
        for (const [what, i] of all) {
          const place = places[i] as Place<number>;
          expected = expected.filter((value) => value !== i);
          if (what === 'use') expected.push(i);
          recency[what as 'use' | 'remove'](place);
          expect([...recency]).toEqual(expected);
        }
      }),
    );
  });

  it('a value may be removed while the values are read', () => {
    const recency = new Recency<number>();
    const places = [1, 2, 3].map((value) => new Place(value));
    for (const place of places) recency.use(place);
    const read: number[] = [];
    for (const value of recency) {
      read.push(value);
      recency.remove(places[value - 1] as Place<number>);
    }
    expect([read, [...recency]]).toEqual([[1, 2, 3], []]);
  });
});

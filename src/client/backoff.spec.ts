import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positiveOrZero, backoffMs, defaultBackoff } from './backoff.js';

const at = (attempt: number, chance: number): number => backoffMs(attempt, defaultBackoff, chance);

describe('back-off', () => {
  it('the back-off delay is the minimum plus a random part of a doubling limit, up to the maximum', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 1_000_000].map((attempt) => at(attempt, 0.5))).toEqual([
      750, 1_000, 1_500, 2_500, 4_500, 8_500, 10_500, 10_500,
    ]);
    expect([0, 1].map((chance) => at(0, chance))).toEqual([500, 1_000]);
  });

  it('the back-off delay stays within its bounds after any number of failures', () => {
    const chance = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.nat(), chance, (attempt, random) => {
        const waited = at(attempt, random);
        expect(waited).toBeGreaterThanOrEqual(500);
        expect(waited).toBeLessThanOrEqual(20_500);
      }),
    );
  });

  it('a value sent by a server counts only if it is a positive number', () => {
    expect([5, 0.5, 0, -1, Number.NaN, '5', null, undefined].map(positiveOrZero)).toEqual([
      5, 0.5, 0, 0, 0, 0, 0, 0,
    ]);
  });
});

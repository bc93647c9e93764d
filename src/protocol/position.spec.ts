import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPosition } from './position.js';

const epoch = fc.string({ minLength: 1, maxLength: 64 });
const offset = fc.maxSafeNat();

describe('positions', () => {
  it('[L-5.2] a position has an epoch and a non-negative integer offset', () => {
    fc.assert(fc.property(fc.record({ epoch, offset }), isPosition));
    expect(isPosition({ epoch: 'e', offset: 0 })).toBe(true);
    expect(isPosition({ epoch: 'e', offset: Number.MAX_SAFE_INTEGER })).toBe(true);
  });

  it('[L-5.2] a position may carry unknown fields', () => {
    expect(isPosition({ epoch: 'e', offset: 1, color: 'red' })).toBe(true);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', null, undefined, [1], 1n])(
    '[L-5.5] a value with the offset %s is not a position',
    (wrong) => {
      expect(isPosition({ epoch: 'e', offset: wrong })).toBe(false);
    },
  );

  it.each([1, null, undefined, ['e'], {}])('[L-5.5] a value with the epoch %j is not a position', (wrong) => {
    expect(isPosition({ epoch: wrong, offset: 1 })).toBe(false);
  });

  it('[L-5.5] a value without an epoch and an offset is never a position', () => {
    const anything = fc.anything().filter((value) => {
      const fields = Object(value) as { epoch?: unknown; offset?: unknown };
      return typeof fields.epoch !== 'string' || typeof fields.offset !== 'number';
    });
    fc.assert(fc.property(anything, (value) => !isPosition(value)));
  });
});

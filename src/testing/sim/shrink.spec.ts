import { describe, expect, it } from 'vitest';
import { shrink } from './shrink.js';

const numbers = Array.from({ length: 40 }, (_, index) => index);

describe('shrink', () => {
  it.each([
    ['one', [17]],
    ['two that are far apart', [0, 39]],
    ['three', [3, 4, 30]],
    ['none: it always fails', []],
  ])('shrink keeps only the elements needed to fail: %s', async (_what, needed) => {
    const found = await shrink(numbers, async (part) => needed.every((each) => part.includes(each)));
    expect(found).toEqual(needed);
  });

  it('shrink leaves no element that could be removed alone, even if elements depend on each other', async () => {
    // 7 fails only together with 8; 9 fails alone, but is tried later.
    const fails = async (part: readonly number[]): Promise<boolean> =>
      (part.includes(7) && part.includes(8)) || part.includes(9);
    const found = await shrink(numbers, fails);
    expect([[9], [7, 8]]).toContainEqual(found);
  });

  it('shrink needs a few hundred runs for a list of forty elements', async () => {
    let runs = 0;
    await shrink(numbers, async (part) => ((runs += 1), part.includes(11) && part.includes(29)));
    expect(runs).toBeLessThan(200);
  });
});

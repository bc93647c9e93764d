import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { eachAtMost } from './each-at-most.js';

describe('eachAtMost', () => {
  it('eachAtMost limits the items in progress and per turn, and resolves with the last one', async () => {
    const clock = new TestClock();
    const ran: number[] = [];
    let done = false;
    const all = eachAtMost(3, [1, 2, 3, 4, 5, 6, 7], clock, async (item) => {
      ran.push(item);
    }).then(() => {
      done = true;
    });
    const counts: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      for (let i = 0; i < 10; i++) await Promise.resolve();
      counts.push(ran.length);
      clock.flush();
    }
    await all;
    expect([ran, counts, done]).toEqual([[1, 2, 3, 4, 5, 6, 7], [3, 6, 7], true]);
  });

  it('eachAtMost rejects with the first failure, and resolves at once without items', async () => {
    const clock = new TestClock();
    await eachAtMost(2, [], clock, () => Promise.reject(new Error('not asked')));
    await expect(eachAtMost(2, [1], clock, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  });
});

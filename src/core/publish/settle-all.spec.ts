import { describe, expect, it } from 'vitest';
import { settleAll } from './settle-all.js';

describe('settleAll', () => {
  it('settleAll gives each item its own outcome, in the order of the items', async () => {
    const outcomes = await settleAll(
      [30, 0, 10],
      async (turns) => {
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        if (turns === 0) throw new Error('none');
        return turns;
      },
      2,
    );
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: 30 },
      { status: 'rejected', reason: new Error('none') },
      { status: 'fulfilled', value: 10 },
    ]);
    expect(await settleAll([], () => Promise.resolve(1), 2)).toEqual([]);
  });

  it('an item that cannot be begun rejects alone', async () => {
    const begin = (item: number | undefined): Promise<number> => {
      if (item === undefined) throw new TypeError('nothing');
      return Promise.resolve(item);
    };
    expect(await settleAll([1, undefined, 3], begin, 2)).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: new TypeError('nothing') },
      { status: 'fulfilled', value: 3 },
    ]);
  });

  it('settleAll starts items in order and keeps no more than the limit in flight', async () => {
    const began: number[] = [];
    let inFlight = 0;
    let most = 0;
    await settleAll(
      Array.from({ length: 20 }, (_, index) => index),
      async (index) => {
        began.push(index);
        most = Math.max(most, ++inFlight);
        for (let turn = index % 3; turn >= 0; turn--) await Promise.resolve();
        inFlight -= 1;
      },
      4,
    );
    expect(began).toEqual(began.toSorted((one, other) => one - other));
    expect(began).toHaveLength(20);
    expect(most).toBe(4);
  });
});

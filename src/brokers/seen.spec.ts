import { describe, expect, it } from 'vitest';
import { Seen } from './seen.js';

describe('Seen', () => {
  it('a topic keeps the furthest offset of its epoch', () => {
    const seen = new Seen(10);
    for (const offset of [1, 5, 3]) seen.add('t', 'e', offset);
    expect(seen.get('t')).toMatchObject({ epoch: 'e', offset: 5 });
    expect(seen.get('u')).toBeUndefined();
  });

  it('a new epoch replaces the one before, even with a smaller offset', () => {
    const seen = new Seen(10);
    seen.add('t', 'e', 5);
    seen.add('t', 'f', 2);
    expect(seen.get('t')).toMatchObject({ epoch: 'f', offset: 2 });
  });

  it('an arrival must follow the last arrival of its epoch, whatever was read in between', () => {
    const seen = new Seen(10);
    seen.add('t', 'e', 9);
    const arrivals = [1, 2, 5, 5, 3, 6].map((offset) => seen.arrive('t', 'e', offset));
    expect(arrivals).toEqual([true, true, true, false, false, true]);
    expect([seen.arrive('t', 'f', 1), seen.get('t')]).toEqual([
      true,
      expect.objectContaining({ epoch: 'f', offset: 1 }),
    ]);
  });

  it('the number of topics is bounded, and a topic in use is never forgotten', () => {
    const seen = new Seen(100);
    let largest = 0;
    for (let i = 0; i < 10_000; i++) {
      seen.add(`t${String(i)}`, 'e', 1);
      if (i % 40 === 0) seen.add('used', 'e', i);
      largest = Math.max(largest, seen.size);
    }
    expect(largest).toBeLessThanOrEqual(100);
    expect(seen.get('used')).toMatchObject({ epoch: 'e', offset: 9_960 });
    expect(seen.get('t9999')).toBeDefined();
    expect(seen.get('t1')).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { Remembered } from './remembered.js';

describe('remembered', () => {
  it('[L-1.6] a value is remembered for its time, and not a millisecond longer', () => {
    let now = 0;
    const remembered = new Remembered<string>(5_000, 10, () => now);
    remembered.set('a', 'yes');
    now = 4_999;
    expect(remembered.get('a')).toBe('yes');
    now = 5_000;
    expect(remembered.get('a')).toBeUndefined();
  });

  it('[L-1.6] beyond the capacity the oldest value is dropped, and setting one again makes it the newest', () => {
    const remembered = new Remembered<number>(5_000, 2, () => 0);
    remembered.set('a', 1);
    remembered.set('b', 2);
    remembered.set('a', 3);
    remembered.set('c', 4);
    expect(['a', 'b', 'c'].map((key) => remembered.get(key))).toEqual([3, undefined, 4]);
    expect(remembered.size).toBe(2);
  });

  it('[L-1.6] setting a value drops all expired ones', () => {
    let now = 0;
    const remembered = new Remembered<number>(5_000, 10_000, () => now);
    for (let i = 0; i < 20_000; i++) remembered.set(`${i}`, i);
    expect(remembered.size).toBe(10_000);
    now = 5_000;
    remembered.set('new', 1);
    expect(remembered.size).toBe(1);
  });

  it('[L-1.6] a time of zero remembers nothing', () => {
    const remembered = new Remembered<number>(0, 10, () => 0);
    remembered.set('a', 1);
    expect([remembered.get('a'), remembered.size]).toEqual([undefined, 0]);
  });
});

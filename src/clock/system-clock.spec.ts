import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from './system-clock.js';

const dayMs = 86_400_000;

describe('SystemClock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([1, 5_000, 2 ** 31 - 1, 2 ** 31, 60 * dayMs, 365 * dayMs])(
    'a timer runs once, after %i ms',
    (ms) => {
      let runs = 0;
      new SystemClock().after(ms, () => (runs += 1));
      vi.advanceTimersByTime(ms - 1);
      expect(runs).toBe(0);
      vi.advanceTimersByTime(1);
      expect([runs, vi.getTimerCount()]).toEqual([1, 0]);
    },
  );

  it('a timer whose time has passed runs at once, and one that is 100 years away does not', () => {
    let runs = 0;
    const clock = new SystemClock();
    clock.after(-5, () => (runs += 1));
    clock.after(36_525 * dayMs, () => (runs += 100));
    vi.advanceTimersByTime(dayMs);
    expect(runs).toBe(1);
  });

  it('a timer can be canceled, also a long one that was split and one that has run', () => {
    let runs = 0;
    const clock = new SystemClock();
    const long = clock.after(60 * dayMs, () => (runs += 1));
    const short = clock.after(5, () => (runs += 10));
    vi.advanceTimersByTime(30 * dayMs);
    long();
    short();
    vi.advanceTimersByTime(60 * dayMs);
    expect([runs, vi.getTimerCount()]).toEqual([10, 0]);
  });
});

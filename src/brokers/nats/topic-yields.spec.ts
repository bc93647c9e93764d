import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { TopicYields } from './topic-yields.js';

describe('TopicYields', () => {
  it('a topic gives way to other instances for a moment, and other topics do not', () => {
    const clock = new TestClock();
    const yields = new TopicYields(clock);
    yields.giveWay('t');
    expect([yields.waitMs('t'), yields.waitMs('other')]).toEqual([10, 0]);
    clock.advance(10);
    expect(yields.waitMs('t')).toBeLessThanOrEqual(0);
  });

  it('the number of topics is bounded', () => {
    const yields = new TopicYields(new TestClock());
    for (let i = 0; i < 100_000; i++) yields.giveWay(String(i));
    expect(yields.waitMs('99999')).toBeGreaterThan(0);
    expect(yields.size).toBeLessThanOrEqual(1_000);
  });
});

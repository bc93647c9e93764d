import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { Turns } from './turns.js';

describe('Turns', () => {
  it('leaves a topic alone for a moment, and no other', () => {
    const clock = new TestClock();
    const turns = new Turns(clock);
    turns.giveWay('t');
    expect([turns.waitMs('t'), turns.waitMs('other')]).toEqual([10, 0]);
    clock.advance(10);
    expect(turns.waitMs('t')).toBeLessThanOrEqual(0);
  });

  it('keeps a bounded number of topics, whoever asks', () => {
    const turns = new Turns(new TestClock());
    for (let i = 0; i < 100_000; i++) turns.giveWay(String(i));
    expect(turns.waitMs('99999')).toBeGreaterThan(0);
    expect(turns.size).toBeLessThanOrEqual(1_000);
  });
});

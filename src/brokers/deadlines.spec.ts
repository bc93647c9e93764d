import { describe, expect, it } from 'vitest';
import { TestClock } from '../testing/test-clock.js';
import { Deadlines } from './deadlines.js';

function make() {
  const clock = new TestClock();
  return {
    clock,
    deadlines: new Deadlines(clock, { engine: 'Redis', timeoutMs: 100, maxCalls: 3, maxBytes: 10 }),
  };
}
const never = () => new Promise<never>(() => {});

describe('Deadlines', () => {
  it('a call without an answer is rejected at its deadline, and not earlier', async () => {
    const { clock, deadlines } = make();
    const late: string[] = [];
    deadlines.run(0, never).catch(() => late.push('one'));
    clock.advance(60);
    deadlines.run(0, never).catch(() => late.push('two'));
    clock.advance(39);
    await clock.settle();
    expect(late).toEqual([]);
    clock.advance(1);
    await clock.settle();
    expect(late).toEqual(['one']);
    clock.advance(60);
    await clock.settle();
    expect([late, deadlines.size, clock.timerCount]).toEqual([['one', 'two'], 0, 0]);
  });

  it('an answer that arrived while this process stood still counts, if it is read within a second', async () => {
    const { clock, deadlines } = make();
    const ends: string[] = [];
    let answer = (): void => {};
    const slow = () => new Promise<string>((resolve) => (answer = () => resolve('answered')));
    deadlines.run(0, slow).then(
      (how) => ends.push(how),
      () => ends.push('late'),
    );
    deadlines.run(0, never).catch(() => ends.push('never answered'));
    clock.stall(30_000);
    await clock.settle();
    expect(ends).toEqual([]);
    answer();
    await clock.settle();
    clock.advance(999);
    await clock.settle();
    expect(ends).toEqual(['answered']);
    // It may stand still again and again.
    clock.stall(30_000);
    await clock.settle();
    expect([ends, deadlines.size, clock.timerCount]).toEqual([['answered', 'never answered'], 0, 0]);
  });

  it('a call is rejected without starting while too many calls or bytes are waiting', async () => {
    const { deadlines } = make();
    let begun = 0;
    const begin = () => {
      begun += 1;
      return never();
    };
    void deadlines.run(8, begin);
    await expect(deadlines.run(3, begin)).rejects.toThrow('Too many');
    void deadlines.run(2, begin);
    void deadlines.run(0, begin);
    await expect(deadlines.run(0, begin)).rejects.toThrow('Too many');
    expect(begun).toBe(3);
  });

  it('a single call may be larger than the byte limit', async () => {
    const { deadlines } = make();
    await expect(deadlines.run(99, async () => 'done')).resolves.toBe('done');
  });

  it('settled resolves once no call is waiting', async () => {
    const { clock, deadlines } = make();
    let settled = false;
    deadlines.run(0, never).catch(() => {});
    void deadlines.settled().then(() => {
      settled = true;
    });
    await clock.settle();
    expect(settled).toBe(false);
    clock.advance(100);
    await clock.settle();
    expect(settled).toBe(true);
    await deadlines.settled();
  });
});

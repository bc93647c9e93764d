import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { Turns } from './turns.js';

/** A clock whose turns of the event loop the test controls. */
class TurningClock extends TestClock {
  private soonest: (() => void)[] = [];

  override soon(run: () => void): void {
    this.soonest.push(run);
  }

  /** Returns whether anything was due. */
  turn(): boolean {
    const due = this.soonest;
    this.soonest = [];
    for (const run of due) run();
    return due.length > 0;
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Two tasks begin in a turn, and five may wait. */
function made() {
  const clock = new TurningClock();
  const begun: number[] = [];
  const turns = new Turns<number>(clock, { perTurn: 2, maxWaiting: 5 }, (task) => void begun.push(task));
  return { clock, begun, turns };
}

describe('Turns', () => {
  it('[L-1.10] a few tasks begin at once', () => {
    const { clock, begun, turns } = made();
    for (const n of numbers(1, 2)) turns.add(n);
    expect(begun).toEqual([1, 2]);
    expect([clock.turn(), clock.turn()]).toEqual([true, false]);
    turns.add(3);
    expect(begun).toEqual([1, 2, 3]);
  });

  it('[L-9.7] a limited number of tasks begins per turn, the others in order in later turns', () => {
    const { clock, begun, turns } = made();
    for (const n of numbers(1, 5)) turns.add(n);
    const counts = [begun.length];
    clock.turn();
    counts.push(begun.length);
    // A new task waits behind those already waiting.
    turns.add(6);
    while (clock.turn()) counts.push(begun.length);
    expect(begun).toEqual(numbers(1, 6));
    expect(counts.slice(0, 3)).toEqual([2, 4, 6]);
  });

  it('[L-1.10] a full queue holds no more: a task beyond it begins at once', () => {
    const { clock, begun, turns } = made();
    for (const n of numbers(1, 7)) turns.add(n);
    expect(begun).toEqual([1, 2]);
    turns.add(8);
    expect(begun).toEqual([1, 2, 8]);
    // Those that began leave room in the queue.
    clock.turn();
    for (const n of numbers(9, 11)) turns.add(n);
    while (clock.turn());
    expect(begun).toEqual([1, 2, 8, 3, 4, 11, 5, 6, 7, 9, 10]);
  });

  it('[L-9.7] a task that begins may add the next one', () => {
    const clock = new TurningClock();
    const begun: number[] = [];
    const turns = new Turns<number>(clock, { perTurn: 2, maxWaiting: 5 }, (task) => {
      begun.push(task);
      if (task < 6) turns.add(task + 1);
    });
    turns.add(1);
    const counts = [begun.length];
    while (clock.turn()) counts.push(begun.length);
    expect([begun, counts.slice(0, 3)]).toEqual([numbers(1, 6), [2, 4, 6]]);
  });
});

import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { Turns } from './turns.js';

/** A clock whose turns of the event loop come one at a time. */
class TurningClock extends TestClock {
  private soonest: (() => void)[] = [];

  override soon(run: () => void): void {
    this.soonest.push(run);
  }

  async turn(): Promise<void> {
    for (const run of this.soonest.splice(0)) run();
    await Promise.resolve();
  }
}

describe('Turns', () => {
  it('[L-9.7] lets so many begin in a turn, and the others in the next ones, in their order', async () => {
    const clock = new TurningClock();
    const turns = new Turns(clock, 2);
    const began: number[] = [];
    const begin = (who: number): void => {
      const wait = turns.next();
      if (wait === undefined) began.push(who);
      else void wait.then(() => began.push(who));
    };
    for (const who of [1, 2, 3, 4, 5]) begin(who);
    const seen = [[...began]];
    await clock.turn();
    // Who comes now waits behind those who wait already.
    begin(6);
    for (let turn = 0; turn < 3; turn++) {
      seen.push([...began]);
      await clock.turn();
    }
    expect(seen).toEqual([
      [1, 2],
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6],
    ]);
    expect([turns.next(), turns.next()]).toEqual([undefined, undefined]);
  });
});

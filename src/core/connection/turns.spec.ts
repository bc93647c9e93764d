import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { Turns } from './replays.js';

/** A clock whose turns of the event loop the test controls. */
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
  it('[L-9.7] a limited number of tasks starts per turn, the others in order in later turns', async () => {
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
    // A new task waits behind those already waiting.
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

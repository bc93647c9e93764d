import { describe, expect, it } from 'vitest';
import { TestClock } from '../testing/test-clock.js';
import { handshakesPerTurn, HandshakeTurns, maxWaitingHandshakes } from './handshake-turns.js';

/** Runs one turn of the event loop at a time. */
class SteppedClock extends TestClock {
  private steps: (() => void)[] = [];

  override soon(run: () => void): void {
    this.steps.push(run);
  }

  /** Returns whether anything was due. */
  turn(): boolean {
    const { steps } = this;
    this.steps = [];
    for (const run of steps) run();
    return steps.length > 0;
  }
}

function withTurns() {
  const clock = new SteppedClock();
  const begun: number[] = [];
  const turns = new HandshakeTurns<number>(clock, (handshake) => begun.push(handshake));
  return { clock, begun, turns };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('HandshakeTurns', () => {
  it('[L-1.10] a few handshakes are decided at once', () => {
    const { clock, begun, turns } = withTurns();
    for (const n of numbers(handshakesPerTurn)) turns.add(n);
    expect(begun).toEqual(numbers(handshakesPerTurn));
    expect([clock.turn(), clock.turn()]).toEqual([true, false]);
  });

  it('[L-1.10] a crowd is decided in its order, some in each turn of the event loop', () => {
    const { clock, begun, turns } = withTurns();
    const all = numbers(3 * handshakesPerTurn + 1);
    for (const n of all.slice(0, -1)) turns.add(n);
    const counts = [begun.length];
    clock.turn();
    counts.push(begun.length);
    // One that arrives later waits behind the others.
    turns.add(all.length - 1);
    while (clock.turn()) counts.push(begun.length);
    expect(begun).toEqual(all);
    expect(counts.slice(0, 4).map((count) => count / handshakesPerTurn)).toEqual([1, 2, 3, 3 + 1 / 32]);
    turns.add(-1);
    expect(begun.at(-1)).toBe(-1);
  });

  it('[L-1.10] a full queue holds no more: a handshake beyond it is decided at once', () => {
    const { begun, turns } = withTurns();
    for (const n of numbers(handshakesPerTurn + maxWaitingHandshakes)) turns.add(n);
    expect(begun).toHaveLength(handshakesPerTurn);
    turns.add(-1);
    expect(begun.at(-1)).toBe(-1);
  });
});

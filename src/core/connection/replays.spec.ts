import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayGate } from './replay-gate.js';

const rate = { bytesPerSecond: 1_000, byteBurst: 10_000 };

describe('The replay gate', () => {
  it('[L-9.18] every client that honors its wait is served, and the bytes stay within the rate plus one answer', () => {
    const answers = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(answers, (sizes) => {
        const gate = new ReplayGate(rate);
        const waiting = sizes.map((bytes) => ({ bytes, atMs: 0, tries: 0 }));
        let sent = 0;
        while (waiting.length > 0) {
          waiting.sort((one, other) => one.atMs - other.atMs);
          const next = waiting.shift();
          if (next === undefined) break;
          next.tries += 1;
          const waitMs = gate.refusedMs(next.atMs);
          if (waitMs > 0) {
            next.atMs += Math.ceil(waitMs);
            waiting.push(next);
            continue;
          }
          // At most the initial budget, what was earned since, and one answer.
          expect(sent).toBeLessThanOrEqual(rate.byteBurst + (rate.bytesPerSecond * next.atMs) / 1_000 + 1);
          expect(gate.begin(next.atMs)).toBe(true);
          gate.end(next.bytes, next.atMs);
          sent += next.bytes;
          expect(next.tries).toBeLessThanOrEqual(sizes.length + 1);
        }
      }),
    );
  });

  it('[L-9.18] clients refused together get spread waits, up to the time the last answer took to earn', () => {
    const gate = new ReplayGate(rate);
    gate.begin(0);
    gate.end(12_000, 0);
    gate.begin(0);
    gate.end(2_000, 0);
    expect([1, 2, 3].map(() => gate.refusedMs(0))).toEqual([4_000, 6_000, 8_000]);
    for (let i = 0; i < 100; i++) gate.refusedMs(0);
    expect(gate.refusedMs(0)).toBe(34_000);
    expect(gate.isFull(34_001)).toBe(true);
  });

  it('[L-9.18] no more reads start than the budget covers, but always one', () => {
    const gate = new ReplayGate({ bytesPerSecond: 1_000, byteBurst: 3 * 1_048_576 });
    expect([1, 2, 3, 4].map(() => gate.begin(0))).toEqual([true, true, true, false]);
    gate.end(1_048_576, 0);
    expect(gate.begin(0)).toBe(false);
    gate.end(0, 0);
    expect(gate.begin(0)).toBe(true);
    const small = new ReplayGate(rate);
    expect([small.begin(0), small.begin(0)]).toEqual([true, false]);
  });
});

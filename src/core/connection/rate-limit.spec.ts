import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateGate } from './rate-limit.js';
import type { InboundRate } from '../ports/limits.js';

const rate: InboundRate = {
  messagesPerSecond: 20,
  messageBurst: 168,
  bytesPerSecond: 65_536,
  byteBurst: 196_608,
};

/** Number of messages of this size that pass at this time. */
function passing(gate: RateGate, tries: number, byteLength: number, now: number): number {
  return Array.from({ length: tries }, () => gate.take(byteLength, now)).filter((waitMs) => waitMs === 0)
    .length;
}

describe('RateGate', () => {
  it('[L-9.10] exactly the burst passes at once, and one more when it has been earned', () => {
    const gate = new RateGate(rate);
    expect(passing(gate, 168, 10, 1_000)).toBe(168);
    expect(gate.take(10, 1_000)).toBeCloseTo(50, 6);
    expect(gate.take(10, 1_049)).toBeGreaterThan(0);
    expect([gate.take(10, 1_050), gate.take(10, 1_050)]).toEqual([0, expect.any(Number)]);
    expect(passing(gate, 40, 10, 2_050)).toBe(20);
    // Full again after the burst's time, and never above the burst.
    expect(passing(gate, 400, 10, 600_000)).toBe(168);
  });

  it('[L-9.10] exactly the byte burst passes at once, and more when it has been earned', () => {
    const gate = new RateGate(rate);
    expect(passing(gate, 3, 65_536, 0)).toBe(3);
    expect(gate.take(1, 0)).toBeGreaterThan(0);
    expect(gate.take(32_768, 499)).toBeGreaterThan(0);
    expect(gate.take(32_768, 500)).toBe(0);
    expect(gate.take(65_536, 1_500)).toBe(0);
  });

  it('[L-9.10] a refused message is not charged', () => {
    const gate = new RateGate(rate);
    passing(gate, 168, 0, 0);
    expect(passing(gate, 1_000, 1_000, 0)).toBe(0);
    expect(gate.take(0, 50)).toBe(0);
  });

  it('[L-9.10] no period lets more pass than the burst and what is earned in it', () => {
    const arrivals = fc.array(fc.record({ afterMs: fc.nat(200), bytes: fc.nat(400) }), { maxLength: 200 });
    const small = { messagesPerSecond: 10, messageBurst: 7, bytesPerSecond: 1_000, byteBurst: 600 };
    fc.assert(
      fc.property(arrivals, (list) => {
        const gate = new RateGate(small);
        const passed: { readonly atMs: number; readonly bytes: number }[] = [];
        let atMs = 0;
        for (const { afterMs, bytes } of list) {
          atMs += afterMs;
          if (gate.take(bytes, atMs) === 0) passed.push({ atMs, bytes });
        }
        for (let first = 0; first < passed.length; first++) {
          let bytes = 0;
          for (let last = first; last < passed.length; last++) {
            bytes += passed[last]?.bytes ?? 0;
            const seconds = ((passed[last]?.atMs ?? 0) - (passed[first]?.atMs ?? 0)) / 1_000;
            expect(last - first + 1).toBeLessThanOrEqual(7 + 10 * seconds + 0.01);
            expect(bytes).toBeLessThanOrEqual(600 + 1_000 * seconds + 0.01);
          }
        }
      }),
    );
  });

  it('[L-9.10] a client within the burst and the rate is never refused', () => {
    const gate = new RateGate(rate);
    for (let i = 0; i < 10_000; i++) expect(gate.take(3_276, i * 50)).toBe(0);
    // Also across fractions of a millisecond.
    const odd = new RateGate({ ...rate, messagesPerSecond: 7, messageBurst: 1 });
    for (let i = 0; i < 10_000; i++) expect(odd.take(1, (i * 1_000) / 7)).toBe(0);
  });

  it('[L-9.11] a refused message is accepted after its wait if nothing else was sent', () => {
    const burst = fc.record({
      count: fc.integer({ min: 1, max: 400 }),
      bytes: fc.nat(65_536),
      atMs: fc.nat(),
    });
    fc.assert(
      fc.property(burst, ({ count, bytes, atMs }) => {
        const gate = new RateGate(rate);
        const told = Array.from({ length: count }, () => gate.take(bytes, atMs)).filter((ms) => ms > 0);
        for (const ms of told) expect(gate.take(bytes, atMs + ms)).toBe(0);
      }),
    );
  });

  it('[L-9.11] a client that ignores its wait gets ever longer waits, until it has waited once', () => {
    const gate = new RateGate(rate);
    passing(gate, 168, 0, 0);
    const told = Array.from({ length: 201 }, () => gate.take(0, 0));
    expect(told[0]).toBeCloseTo(50, 6);
    expect(told[199]).toBeCloseTo(10_000, 6);
    expect(told[200]).toBeCloseTo(10_050, 6);
    expect(passing(gate, 168, 0, 60_000)).toBe(168);
    expect(gate.take(0, 60_000)).toBeCloseTo(50, 6);
  });

  it('[L-9.11] a client at twice the rate is refused every other time but never closed; at three times it is', () => {
    const longest = (perSecond: number): number => {
      const gate = new RateGate(rate);
      let most = 0;
      for (let atMs = 0; atMs < 60_000; atMs += 1_000 / perSecond) most = Math.max(most, gate.take(1, atMs));
      return most;
    };
    expect(longest(40)).toBeLessThan(1_000);
    expect(longest(60)).toBeGreaterThan(10_000);
  });

  it('an idle gate reports that it can be dropped', () => {
    const gate = new RateGate(rate);
    expect(gate.isFull(0)).toBe(true);
    gate.take(65_536, 0);
    expect([gate.isFull(999), gate.isFull(1_000)]).toEqual([false, true]);
    passing(gate, 169, 0, 1_000);
    expect([gate.isFull(9_399), gate.isFull(9_400)]).toEqual([false, true]);
  });
});

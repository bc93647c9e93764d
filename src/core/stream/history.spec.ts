import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Publication } from '../ports/broker.js';
import { History } from './history.js';

const publication = (offset: number, data = '0'): Publication => ({ offset, data });
const generous = { count: 1_000, bytes: 1_000_000 };

describe('History', () => {
  it('[L-5.4] the history returns nothing if more was missed than a recovery may send', () => {
    const history = new History();
    const rules = { size: 100, ttlMs: 1_000, maxBytes: 1_000 };
    for (let offset = 1; offset <= 10; offset++) history.add(publication(offset, '123'), rules, 0);
    expect(history.after(4, 10, { count: 6, bytes: 18 })?.map(({ offset }) => offset)).toEqual([
      5, 6, 7, 8, 9, 10,
    ]);
    expect(history.after(4, 10, { count: 5, bytes: 18 })).toBeUndefined();
    expect(history.after(4, 10, { count: 6, bytes: 17 })).toBeUndefined();
  });

  it('[L-5.3] the history returns nothing across a publication that was not kept', () => {
    const history = new History();
    const rules = { size: 100, ttlMs: 1_000, maxBytes: 1_000 };
    for (const offset of [1, 2, 4, 5]) history.add(publication(offset), rules, 0);
    expect([1, 2].map((offset) => history.after(offset, 5, generous))).toEqual([undefined, undefined]);
    expect(history.after(3, 5, generous)).toHaveLength(2);
  });

  it('[L-5.3] the history returns everything after an offset, or nothing, but never a part', () => {
    const adds = fc.array(fc.record({ length: fc.integer({ min: 1, max: 9 }), waitMs: fc.nat(40) }), {
      maxLength: 120,
    });
    const bounds = fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      ttlMs: fc.integer({ min: 1, max: 300 }),
      maxBytes: fc.integer({ min: 1, max: 200 }),
    });
    fc.assert(
      fc.property(adds, bounds, fc.nat(130), (all, rules, since) => {
        const history = new History();
        let nowMs = 0;
        const model: { offset: number; bytes: number; atMs: number }[] = [];
        all.forEach(({ length, waitMs }, i) => {
          nowMs += waitMs;
          model.push({ offset: i + 1, bytes: length, atMs: nowMs });
          history.add(publication(i + 1, '1'.repeat(length)), rules, nowMs);
        });
        const inBounds = model.filter(({ atMs }, i) => {
          const from = model.slice(i);
          const bytes = from.reduce((sum, each) => sum + each.bytes, 0);
          return from.length <= rules.size && bytes <= rules.maxBytes && nowMs - atMs <= rules.ttlMs;
        });
        const missed = model.filter(({ offset }) => offset > since).map(({ offset }) => offset);
        const complete =
          since <= model.length && missed.every((offset) => inBounds.some((kept) => kept.offset === offset));
        const found = history.after(since, model.length, generous)?.map(({ offset }) => offset);
        expect(found).toEqual(complete ? missed : undefined);
        expect(history.size).toBe(inBounds.length);
      }),
    );
  });
});

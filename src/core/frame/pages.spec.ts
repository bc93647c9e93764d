import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pages, pagesOf, SnapshotPages } from './pages.js';

describe('pagesOf', () => {
  it('[L-6.10] pages have the fields of an object together, each of them whole and in order', () => {
    const fields = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }), {
      maxKeys: 20,
    });
    fc.assert(
      fc.property(fields, fc.integer({ min: 10, max: 200 }), (state, maxBytes) => {
        const text = JSON.stringify(state);
        const pages = pagesOf(text, maxBytes) ?? [text];
        const parts = pages.map((page) => Object.entries(JSON.parse(page) as object));
        expect(parts.flat()).toEqual(Object.entries(JSON.parse(text) as object));
        for (const [at, page] of pages.entries())
          if (pages.length > 1 && Buffer.byteLength(page) > maxBytes) expect(parts[at]).toHaveLength(1);
      }),
      { numRuns: 150 },
    );
  });

  it('[L-6.10] pages have the elements of an array together', () => {
    const text = JSON.stringify(Array.from({ length: 100 }, (_, n) => ({ n, text: ',"]}\\' })));
    const pages = pagesOf(text, 200) ?? [];
    expect(pages.length).toBeGreaterThan(10);
    expect(pages.flatMap((page) => JSON.parse(page) as unknown[])).toEqual(JSON.parse(text));
    for (const page of pages) expect(Buffer.byteLength(page)).toBeLessThanOrEqual(200);
  });

  it('[L-6.10] the pages of a snapshot are made once for all who accept the same size', () => {
    const pages = new Pages();
    const snapshot = { text: JSON.stringify(Array.from({ length: 100 }, () => 'x'.repeat(9))) };
    const [one, other, smaller] = [200, 200, 100].map((maxBytes) => pages.of('t', snapshot, maxBytes));
    expect(one).toBe(other);
    expect(smaller?.count).toBeGreaterThan(one?.count ?? Infinity);
    const none = [{ text: undefined }, { text: '[1]' }].map((small) => pages.of('t', small, 200));
    expect(none).toEqual([undefined, undefined]);
  });

  it('[L-6.10] peers that take a page at the same time share its frame', () => {
    const pages = new SnapshotPages('t', ['[1]', '[2]']);
    expect(pages.frame(1)).toBe(pages.frame(1));
    expect(pages.frame(0).bytes.toString()).toContain('{"type":"page","topic":"t","snapshot":[1]}');
    expect(pages.frame(1).bytes.toString()).toContain('"last":true,"snapshot":[2]}');
  });

  it('[L-6.10] a small snapshot, and one that is neither an object nor an array, has no pages', () => {
    expect(pagesOf('{"a":1,"b":2}', 100)).toBeUndefined();
    expect(pagesOf(JSON.stringify('x'.repeat(200)), 100)).toBeUndefined();
    expect(pagesOf('{"a":"' + 'x'.repeat(200) + '"}', 100)).toBeUndefined();
  });
});

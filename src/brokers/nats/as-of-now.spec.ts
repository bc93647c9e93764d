import { describe, expect, it } from 'vitest';
import { asOfNow, continues, untouchedSince } from './as-of-now.js';
import type { LifeRecord } from './life-record.js';
import type { Head } from './stored-message.js';

const head = (life: number, epoch: string, top: number, lineage: Head['lineage'] = []): Head => ({
  epoch,
  life,
  lineage,
  top,
  refs: [],
  tail: 0,
});
const record: LifeRecord = {
  stream: 's',
  seq: 90,
  since: 80,
  atMs: 0,
  life: 5,
  epoch: 'e5b',
  before: [
    {
      life: 5,
      epoch: 'e5a',
      seq: 80,
    },
    {
      life: 4,
      epoch: 'e4',
      seq: 50,
    },
    {
      life: 3,
      epoch: 'e3',
      seq: 20,
    },
  ],
  servers: new Map(),
  restarts: new Map(),
};

describe('The end of a topic in the current life of the store', () => {
  it('a topic last published in this life ends with its last message', () => {
    const last = head(5, 'e5b', 7, [{ epoch: 'e3', end: 4 }]);
    expect(asOfNow(last, 7, record)).toEqual(last);
    const birth = head(5, 'own', 7);
    expect(asOfNow(birth, 7, record)).toEqual(birth);
  });

  it.each([
    ['a new topic', [], 0],
    ['a topic of an earlier life', [{ epoch: 'e3', end: 4 }], 4],
  ])(
    '%s continues what readers learned in an era that its publisher did not know yet',
    (_, lineage, start) => {
      const now = asOfNow(head(5, 'e5a', 7, lineage), 7, record);
      expect(now).toEqual(head(5, 'e5a', 7, [{ epoch: 'e5b', end: start }, ...lineage]));
      expect(continues(now, 'e5b', start)).toBe(true);
      expect(continues(now, 'e5b', start + 1)).toBe(false);
      expect(asOfNow(now, 7, record)).toEqual(now);
    },
  );

  it('a topic of an earlier life gets the epoch of this life, and its lineage has every epoch that a reader may know', () => {
    const now = asOfNow(head(3, 'e3', 7, [{ epoch: 'e1', end: 2 }]), 7, record);
    expect(now).toMatchObject({ epoch: 'e5b', life: 5, top: 7 });
    expect(now.lineage).toEqual([
      { epoch: 'e5a', end: 7 },
      { epoch: 'e4', end: 7 },
      { epoch: 'e3', end: 7 },
      { epoch: 'e1', end: 2 },
    ]);
    for (const [epoch, offset, expected] of [
      ['e5b', 7, true],
      ['e5b', 8, false],
      ['e3', 7, true],
      ['e3', 8, false],
      ['e1', 2, true],
      ['e1', 3, false],
      ['e2', 0, false],
    ] as const)
      expect(continues(now, epoch, offset), `${epoch} ${String(offset)}`).toBe(expected);
  });

  it('earlier epochs end where this life began, even if instances unaware of it appended later', () => {
    const late = head(4, 'e4', 7, [
      { epoch: 'e3', end: 6 },
      { epoch: 'e2', end: 4 },
    ]);
    expect(asOfNow(late, 5, record)).toMatchObject({
      epoch: 'e5b',
      top: 7,
      lineage: [
        { epoch: 'e5a', end: 5 },
        { epoch: 'e4', end: 5 },
        { epoch: 'e3', end: 5 },
        { epoch: 'e2', end: 4 },
      ],
    });
  });

  it('a topic has no lineage if its last message follows messages that the store has lost', () => {
    const late = head(4, 'e4', 7, [{ epoch: 'e3', end: 4 }]);
    expect(asOfNow(late, undefined, record)).toMatchObject({ epoch: 'e5b', lineage: [] });
  });

  it('the lineage is bounded and always contains the topic’s own last epoch', () => {
    const before = Array.from({ length: 24 }, (_, i) => ({
      life: 100 - i,
      epoch: `e${String(i)}`,
      seq: 200 - i,
    }));
    const past = Array.from({ length: 16 }, (_, i) => ({ epoch: `p${String(i)}`, end: 1 }));
    const { lineage } = asOfNow(head(3, 'own', 7, past), 7, { ...record, life: 101, since: 300, before });
    expect(lineage).toHaveLength(16);
    expect(lineage.map(({ epoch }) => epoch)).toContain('own');
  });

  it('a topic without publications continues only its beginning', () => {
    expect(untouchedSince(record.before)).toEqual([
      { epoch: 'e5a', end: 0 },
      { epoch: 'e4', end: 0 },
      { epoch: 'e3', end: 0 },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { LabelCounts } from './label-counts.js';

describe('LabelCounts', () => {
  it('[S13] known labels exist from the start, with 0', () => {
    expect([...new LabelCounts(['event', 'error'])]).toEqual([
      ['event', 0],
      ['error', 0],
      ['other', 0],
    ]);
  });

  it('[S13] counts of a label are added up', () => {
    const counts = new LabelCounts(['event']);
    counts.add('event', 3);
    counts.add('event', 4);
    expect([...counts]).toContainEqual(['event', 7]);
  });

  it('[S13] new labels are admitted while there is room, and the rest count as other', () => {
    const counts = new LabelCounts(['event'], 3);
    for (let i = 0; i < 1_000; i++) counts.add(`type-${String(i)}`, 1);
    counts.add('type-1', 1);
    expect([...counts]).toEqual([
      ['event', 0],
      ['type-0', 1],
      ['type-1', 2],
      ['other', 998],
    ]);
  });

  it('[S13] known labels always have room, whatever was counted before', () => {
    const counts = new LabelCounts(['event'], 1);
    counts.add('junk', 1);
    counts.add('event', 1);
    expect([...counts]).toEqual([
      ['event', 1],
      ['other', 1],
    ]);
  });

  it.each(['', 'a\nb', '\u001b[2J', 'é', '\ud800', '\u2028', 'x'.repeat(65), 'other'])(
    '[S13] the label %j counts as other, because it is not plain text',
    (label) => {
      const counts = new LabelCounts([], 10);
      counts.add(label, 1);
      expect([...counts]).toEqual([['other', 1]]);
    },
  );

  it.each(['__proto__', 'constructor', 'has space', '"}'])(
    '[S13] the label %j is counted like any other',
    (label) => {
      const counts = new LabelCounts([], 10);
      counts.add(label, 1);
      expect([...counts]).toEqual([
        [label, 1],
        ['other', 0],
      ]);
    },
  );
});

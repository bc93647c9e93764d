import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { SharedFrame } from '../frame/shared-frame.js';
import { Joins } from './joins.js';
import { Slab } from './slab.js';

const framesOf = (...texts: string[]): SharedFrame[] => texts.map((text) => new SharedFrame(text));
const lengthOf = (frames: readonly SharedFrame[]): number =>
  frames.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
const plain = (frames: readonly SharedFrame[]): Buffer => Buffer.concat(frames.map(({ bytes }) => bytes));

function newJoins(): Joins {
  const slab = new Slab();
  return new Joins((byteLength) => slab.take(byteLength));
}

describe('Joins', () => {
  it('gives the same buffer for the same frames, until it forgets', () => {
    const joins = newJoins();
    const frames = framesOf('a', 'b');
    const first = joins.bytesOf(frames, 7, lengthOf(frames));
    expect(joins.bytesOf([...frames], 7, lengthOf(frames))).toBe(first);
    joins.forget();
    expect(joins.bytesOf([...frames], 7, lengthOf(frames))).not.toBe(first);
  });

  it('never takes other frames for the same because they have the same mark', () => {
    const joins = newJoins();
    const [one, two, three] = framesOf('1', '2', '3') as [SharedFrame, SharedFrame, SharedFrame];
    for (const frames of [
      [one, two],
      [two, one],
      [one, two, three],
      [one, three],
      [one, two],
    ]) {
      expect(joins.bytesOf(frames, 7, lengthOf(frames))).toEqual(plain(frames));
    }
  });

  it('leaves what it has given out as it is, whatever is joined after it', () => {
    const joins = newJoins();
    const given = Array.from({ length: 300 }, (_, i) => {
      const frames = framesOf(String(i), 'x'.repeat(i * 7));
      return { frames, bytes: joins.bytesOf(frames, i, lengthOf(frames)) };
    });
    for (const { frames, bytes } of given) expect(bytes.equals(plain(frames))).toBe(true);
  });
});

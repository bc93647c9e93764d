import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { SharedFrame } from '../frame/shared-frame.js';
import { Joins } from './joins.js';

const framesOf = (...texts: string[]): SharedFrame[] => texts.map((text) => new SharedFrame(text));
const lengthOf = (frames: readonly SharedFrame[]): number =>
  frames.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
const plain = (frames: readonly SharedFrame[]): Buffer => Buffer.concat(frames.map(({ bytes }) => bytes));

describe('Joins', () => {
  it('connections with the same frames share one buffer from the second on, until forget()', () => {
    const joins = new Joins();
    const frames = framesOf('a', 'b');
    const next = (): Buffer => joins.bytesOf([...frames], 7, lengthOf(frames));
    expect(next()).toEqual(plain(frames));
    const second = next();
    expect([second, next() === second]).toEqual([plain(frames), true]);
    joins.forget();
    expect(next()).not.toBe(second);
  });

  it('memory that is given back is reused, unless a shared buffer occupies it', () => {
    const joins = new Joins();
    const join = (text: string, mark: number): Buffer => {
      const frames = framesOf(text, text);
      return joins.bytesOf(frames, mark, lengthOf(frames));
    };
    const first = join('a', 1);
    joins.giveBack();
    const second = join('b', 2);
    expect([second.buffer === first.buffer, second.byteOffset]).toEqual([true, first.byteOffset]);
    expect(join('c', 3).byteOffset).not.toBe(second.byteOffset);
    const shared = framesOf('d', 'd');
    const sharedBytes = (): Buffer => joins.bytesOf(shared, 4, lengthOf(shared));
    sharedBytes();
    joins.giveBack();
    const kept = sharedBytes();
    joins.giveBack();
    join('e', 5);
    expect([kept, sharedBytes() === kept]).toEqual([plain(shared), true]);
  });

  it('different frames with the same mark are not confused', () => {
    const joins = new Joins();
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

  it('a buffer that was given out is never overwritten by later joins', () => {
    const joins = new Joins();
    const given = Array.from({ length: 300 }, (_, i) => {
      const frames = framesOf(String(i), 'x'.repeat(i * 7));
      return { frames, bytes: joins.bytesOf(frames, i, lengthOf(frames)) };
    });
    for (const { frames, bytes } of given) expect(bytes.equals(plain(frames))).toBe(true);
  });
});

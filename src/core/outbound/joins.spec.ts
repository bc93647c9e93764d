import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { TestSocket } from '../../testing/test-socket.js';
import { SharedFrame } from '../frame/shared-frame.js';
import { Flusher } from './flusher.js';
import { Joins } from './joins.js';
import { Outbox } from './outbox.js';
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

  it('gives peers that are behind bytes of their own, the same for all of them, that keep no slab in memory', () => {
    const written: Uint8Array[] = [];
    class Recording extends TestSocket {
      override write(frames: Uint8Array): void {
        written.push(frames);
        super.write(frames);
      }
    }
    const clock = new TestClock();
    const flusher = new Flusher(clock);
    const sockets = [new Recording(true), new Recording(true), new Recording()];
    const outboxes = sockets.map((socket) => new Outbox(socket, flusher, 1_000, { tooSlow: () => {} }));
    for (const frames of [framesOf('a', 'b'), framesOf('c', 'd')]) {
      for (const outbox of outboxes) for (const frame of frames) outbox.push(frame);
      clock.flush();
    }
    const [quick, alsoQuick, still, behind, alsoBehind, stillQuick] = written;
    expect([quick, alsoQuick, still].every((bytes) => bytes === quick)).toBe(true);
    expect(behind).toBe(alsoBehind);
    expect(behind?.buffer.byteLength).toBe(behind?.byteLength);
    expect(stillQuick).toEqual(behind);
    expect(stillQuick?.buffer).not.toBe(behind?.buffer);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { TestSocket } from '../../testing/test-socket.js';
import { SharedFrame } from '../frame/shared-frame.js';
import { Flusher } from './flusher.js';
import { earlyWriteBytes, Outbox } from './outbox.js';

const frameOf = (text: string): SharedFrame => new SharedFrame(JSON.stringify(text));

function setup(sockets: readonly TestSocket[], thresholdBytes = 1_000) {
  const clock = new TestClock();
  const flusher = new Flusher(clock);
  const slow: TestSocket[] = [];
  const outboxes = sockets.map(
    (socket) => new Outbox(socket, flusher, thresholdBytes, { tooSlow: () => void slow.push(socket) }),
  );
  const [outbox] = outboxes;
  if (outbox === undefined) throw new Error('no socket');
  return { clock, flusher, outboxes, outbox, slow };
}

describe('Outbox', () => {
  it('writes once per tick, whatever was pushed in it', () => {
    const socket = new TestSocket();
    const { clock, outbox } = setup([socket]);
    for (const text of ['a', 'b', 'c']) outbox.push(frameOf(text));
    expect(socket.writes).toEqual([]);
    clock.flush();
    outbox.push(frameOf('d'));
    clock.flush();
    expect(socket.writes).toEqual([['"a"', '"b"', '"c"'], ['"d"']]);
  });

  it('joins the bytes of a sequence once for all who have the same', () => {
    const written: Uint8Array[] = [];
    class Recording extends TestSocket {
      override write(frames: Uint8Array): void {
        written.push(frames);
        super.write(frames);
      }
    }
    const { clock, outboxes } = setup([new Recording(), new Recording(), new Recording()]);
    const [one, two] = [frameOf('one'), frameOf('two')];
    for (const outbox of outboxes) for (const frame of [one, two]) outbox.push(frame);
    clock.flush();
    expect(new Set(written).size).toBe(1);
    expect(written).toHaveLength(3);
  });

  it('gives each peer its own frames in its own order, however they are mixed', () => {
    const plan = fc.array(fc.tuple(fc.nat(3), fc.nat(4), fc.boolean()), { maxLength: 200 });
    fc.assert(
      fc.property(plan, (steps) => {
        const sockets = Array.from({ length: 4 }, () => new TestSocket());
        const { clock, outboxes } = setup(sockets);
        const frames = Array.from({ length: 5 }, (_, i) => frameOf(String(i)));
        const expected = sockets.map((): string[] => []);
        for (const [peer, frame, flush] of steps) {
          outboxes[peer]?.push(frames[frame] ?? frameOf(''));
          expected[peer]?.push(`"${String(frame)}"`);
          if (flush) clock.flush();
        }
        clock.flush();
        expect(sockets.map((socket) => socket.writes.flat())).toEqual(expected);
      }),
    );
  });

  it('[L-9.2] calls a peer too slow when it is sent to with more than the threshold waiting, and writes no more', () => {
    const socket = new TestSocket(true);
    const { clock, outbox, slow } = setup([socket], 10);
    outbox.push(frameOf('a'.repeat(9)));
    clock.flush();
    expect([socket.bufferedBytes > 10, slow.length]).toEqual([true, 0]);
    outbox.push(frameOf('b'));
    clock.flush();
    expect(slow).toEqual([socket]);
    expect(socket.writes).toHaveLength(1);
  });

  it('writes before the tick ends when a burst is long, so that the peer’s pace is seen', () => {
    const socket = new TestSocket();
    const { outbox } = setup([socket]);
    const text = 'x'.repeat(10_000);
    for (let i = 0; i < 8; i++) outbox.push(frameOf(text));
    expect(socket.writes.flat().length).toBeGreaterThan(earlyWriteBytes / 10_010);
    expect(outbox.queuedBytes).toBeLessThan(earlyWriteBytes);
  });

  it('sends nothing to a socket that is not open', () => {
    const socket = new TestSocket();
    const { clock, outbox } = setup([socket]);
    outbox.push(frameOf('a'));
    socket.open = false;
    clock.flush();
    expect([socket.writes, outbox.queuedBytes]).toEqual([[], 0]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { TestSocket } from '../../testing/test-socket.js';
import { SharedFrame } from '../frame/shared-frame.js';
import { Backlogs } from './backlogs.js';
import type { OutboundBudget } from '../ports/limits.js';
import { Flusher } from './flusher.js';
import type { SlowReaderQueue } from './backlog.js';
import { earlyWriteBytes, Outbox } from './outbox.js';

const frameOf = (text: string): SharedFrame => new SharedFrame(JSON.stringify(text));

const roomy: OutboundBudget = {
  backPressureThresholdBytes: 1_000,
  maxQueuedMessages: 100,
  maxQueueAgeMs: 10_000,
  maxQueuedBytesTotal: 100_000,
};

function setup(sockets: readonly TestSocket[], budget: Partial<OutboundBudget> = {}) {
  const clock = new TestClock();
  const flusher = new Flusher(clock);
  const backlogs = new Backlogs({ ...roomy, ...budget }, clock);
  const slow: TestSocket[] = [];
  const outboxes = sockets.map((socket) => {
    const tooSlow = (): void => {
      slow.push(socket);
      outbox.drop();
    };
    const outbox = new Outbox(socket, { flusher, backlogs }, { tooSlow });
    return outbox;
  });
  const [outbox] = outboxes;
  if (outbox === undefined) throw new Error('no socket');
  const send = (text: string, to = outbox): void => {
    to.push(frameOf(text));
    clock.flush();
  };
  return { clock, flusher, backlogs, outboxes, outbox, slow, send };
}

/** A peer that has stopped reading, with one message in its socket. */
function stopped(budget: Partial<OutboundBudget> = {}) {
  const socket = new TestSocket(true);
  const world = setup([socket], budget);
  world.send('stuck');
  return { ...world, socket };
}

describe('Outbox', () => {
  it('an outbox writes once per tick, however many frames were pushed', () => {
    const socket = new TestSocket();
    const { clock, outbox, send } = setup([socket]);
    for (const text of ['a', 'b', 'c']) outbox.push(frameOf(text));
    expect(socket.writes).toEqual([]);
    clock.flush();
    send('d');
    expect(socket.writes).toEqual([['"a"', '"b"', '"c"'], ['"d"']]);
  });

  it('the bytes of a sequence are joined once for all outboxes with the same frames', () => {
    const written: Uint8Array[] = [];
    class Recording extends TestSocket {
      override write(frames: Uint8Array): void {
        written.push(frames);
        super.write(frames);
      }
    }
    const { clock, outboxes } = setup(Array.from({ length: 4 }, () => new Recording()));
    const [one, two] = [frameOf('one'), frameOf('two')];
    for (const outbox of outboxes) for (const frame of [one, two]) outbox.push(frame);
    clock.flush();
    // For the first one it is unknown that others follow.
    expect(written).toHaveLength(4);
    expect(new Set(written).size).toBe(2);
  });

  it('each peer gets its own frames in order, at any mix and any reading pace', () => {
    const step = fc.tuple(fc.nat(3), fc.nat(4), fc.constantFrom('push', 'flush', 'drain'));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const sockets = Array.from({ length: 4 }, (_, i) => new TestSocket(i % 2 === 1));
        const { clock, outboxes, backlogs } = setup(sockets, { backPressureThresholdBytes: 100_000 });
        const frames = Array.from({ length: 5 }, (_, i) => frameOf(String(i)));
        const expected = sockets.map((): string[] => []);
        for (const [peer, frame, what] of steps) {
          if (what === 'drain') sockets[peer]?.drain();
          else {
            outboxes[peer]?.push(frames[frame] ?? frameOf(''));
            expected[peer]?.push(`"${String(frame)}"`);
          }
          if (what === 'flush') clock.flush();
        }
        clock.flush();
        for (let i = 0; i < 2; i++) for (const socket of sockets) socket.drain();
        expect(sockets.map((socket) => socket.writes.flat())).toEqual(expected);
        expect([backlogs.size, backlogs.bytes]).toEqual([0, 0]);
      }),
    );
  });

  it('a long burst is written before the tick ends, so that the pace of the peer shows', () => {
    const socket = new TestSocket();
    const { outbox } = setup([socket]);
    const text = 'x'.repeat(10_000);
    for (let i = 0; i < 8; i++) outbox.push(frameOf(text));
    expect(socket.writes.flat().length).toBeGreaterThan(earlyWriteBytes / 10_010);
    expect(outbox.queuedBytes).toBeLessThan(earlyWriteBytes);
  });

  it('nothing is sent to a socket that is not open', () => {
    const socket = new TestSocket();
    const { clock, outbox } = setup([socket]);
    outbox.push(frameOf('a'));
    socket.open = false;
    clock.flush();
    expect([socket.writes, outbox.queuedBytes]).toEqual([[], 0]);
  });
});

describe('Outbox of a peer that is behind', () => {
  it('nothing is written to a full socket, and the whole queue once it is empty', () => {
    const { outbox, socket, send } = stopped();
    for (const text of ['a', 'b']) send(text);
    expect([socket.writes, outbox.behind]).toEqual([[['"stuck"']], true]);
    socket.drain();
    expect(socket.writes).toEqual([['"stuck"'], ['"a"', '"b"']]);
    socket.drain();
    expect([outbox.behind, outbox.queuedBytes]).toEqual([false, 0]);
  });

  it('a backlog is written in small parts', () => {
    const { outbox, socket, send } = stopped({ backPressureThresholdBytes: 100_000 });
    for (let i = 0; i < 6; i++) send('x'.repeat(6_000));
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) {
      socket.drain();
      sizes.push(socket.bufferedBytes);
    }
    expect(sizes).toEqual([18_018, 18_018, 0]);
    expect(outbox.behind).toBe(false);
  });

  it('[L-9.2] a peer is too slow above the byte threshold, but not at it', () => {
    const { outbox, send, slow } = stopped({ backPressureThresholdBytes: 9 + 2 * 7 });
    for (const text of ['aaa', 'bbb']) send(text);
    expect([outbox.queuedBytes, slow.length]).toEqual([23, 0]);
    send('');
    expect([outbox.queuedBytes, slow.length]).toEqual([9, 1]);
  });

  it('[L-9.4] a peer is too slow with more than the maximum of queued messages', () => {
    const { send, slow } = stopped({ maxQueuedMessages: 3 });
    for (const text of ['a', 'b', 'c']) send(text);
    expect(slow).toHaveLength(0);
    send('d');
    expect(slow).toHaveLength(1);
  });

  it('[L-9.4] a joined frame counts with all its messages', () => {
    const { outbox, slow, clock } = stopped({ maxQueuedMessages: 3 });
    for (const texts of [['a', 'b', 'c'], ['d']]) {
      expect(slow).toHaveLength(0);
      outbox.push(SharedFrame.join(texts.map(frameOf)));
      clock.flush();
    }
    expect(slow).toHaveLength(1);
  });

  it('[L-9.5] a peer is too slow when a message has waited too long, even if others were written since', () => {
    const { clock, send, slow, socket } = stopped({ maxQueueAgeMs: 3_000 });
    for (let second = 0; second < 10; second++) {
      send('on time');
      clock.advance(1_000);
      socket.drain();
    }
    expect(slow).toHaveLength(0);
    send('late');
    send('later');
    clock.advance(3_000);
    expect(slow).toHaveLength(0);
    clock.advance(1_000);
    expect(slow).toHaveLength(1);
  });

  it('[L-9.6] the peer with the largest backlog is dropped when the total is exceeded', () => {
    const sockets = [new TestSocket(true), new TestSocket(true), new TestSocket(true)];
    const { clock, outboxes, backlogs, slow, send } = setup(sockets, { maxQueuedBytesTotal: 900 });
    for (const outbox of outboxes) send('stuck', outbox);
    const [one, two, three] = outboxes as [Outbox, Outbox, Outbox];
    send('x'.repeat(300), one);
    send('x'.repeat(400), two);
    expect(slow).toEqual([]);
    send('x'.repeat(250), three);
    clock.flush();
    expect(slow).toEqual([sockets[1]]);
    expect(backlogs.bytes).toBe(one.queuedBytes + three.queuedBytes - 2 * 9);
  });

  it('a backlog is written completely before a close', () => {
    const { outbox, socket, send } = stopped();
    send('last words');
    outbox.finish();
    expect(socket.writes).toEqual([['"stuck"'], ['"last words"']]);
    expect(outbox.queuedBytes).toBe(socket.bufferedBytes);
  });

  it('a dropped outbox discards its backlog and is not called again', () => {
    const { outbox, socket, backlogs, send } = stopped();
    send('gone');
    outbox.drop();
    socket.drain();
    expect([socket.writes, backlogs.size, backlogs.bytes]).toEqual([[['"stuck"']], 0, 0]);
  });

  it('no timer is left when no peer is behind', () => {
    const { clock, socket, send } = stopped();
    send('a');
    socket.drain();
    socket.drain();
    expect(clock.timerCount).toBe(0);
  });
});

/** A lane of texts that can drop all of them. */
class TextLane implements SlowReaderQueue {
  readonly texts: string[] = [];

  get queuedBytes(): number {
    return this.texts.length * 10;
  }

  get queuedMessages(): number {
    return this.texts.length;
  }

  take(): SharedFrame | undefined {
    const text = this.texts.shift();
    return text === undefined ? undefined : frameOf(text);
  }

  shed(): void {
    this.texts.splice(0);
  }

  shedBefore(): void {}
}

describe('Lanes of a peer that is behind', () => {
  function say(outbox: Outbox, lane: TextLane, ...texts: string[]): void {
    for (const text of texts) {
      lane.texts.push(text);
      outbox.wait(lane, 10, 1);
    }
  }

  it('lanes are written after the queued frames, in turn', () => {
    const { outbox, socket, send } = stopped();
    const [one, two] = [new TextLane(), new TextLane()];
    say(outbox, one, '1a', '1b', '1c');
    say(outbox, two, '2a');
    send('first');
    socket.drain();
    expect(socket.writes.at(-1)).toEqual(['"first"', '"1a"', '"2a"', '"1b"', '"1c"']);
    socket.drain();
    expect([outbox.behind, outbox.queuedBytes]).toEqual([false, 0]);
  });

  it('[L-9.2] lanes drop their data before the peer counts as too slow', () => {
    const { outbox, slow, send, backlogs } = stopped({ backPressureThresholdBytes: 50 });
    const lane = new TextLane();
    say(outbox, lane, 'a', 'b', 'c', 'd', 'e');
    expect([lane.texts, slow, backlogs.bytes]).toEqual([[], [], 0]);
    send('x'.repeat(50));
    expect(slow).toHaveLength(1);
  });

  it('[L-9.4] a lane drops its data when too many messages wait in it, however small', () => {
    const { outbox, slow, send, backlogs } = stopped({ maxQueuedMessages: 4 });
    const lane = new TextLane();
    say(outbox, lane, 'a', 'b', 'c', 'd');
    expect(lane.texts).toHaveLength(4);
    say(outbox, lane, 'e');
    expect([lane.texts, slow, backlogs.bytes]).toEqual([[], [], 0]);
    for (let i = 0; i < 5; i++) send('x');
    expect(slow).toHaveLength(1);
  });

  it('lanes count toward the total budget', () => {
    const { outbox, backlogs } = stopped();
    const lane = new TextLane();
    say(outbox, lane, 'a', 'b');
    expect(backlogs.bytes).toBe(20);
    outbox.leave(lane);
    expect(backlogs.bytes).toBe(0);
  });
});

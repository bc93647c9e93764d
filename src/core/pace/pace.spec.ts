import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { TestSocket } from '../../testing/test-socket.js';
import { SharedEvent } from '../frame/shared-event.js';
import { eventText } from '../frame/message-text.js';
import { SharedFrame } from '../frame/shared-frame.js';
import { Backlogs } from '../outbound/backlogs.js';
import type { OutboundBudget } from '../ports/limits.js';
import { Flusher } from '../outbound/flusher.js';
import { Outbox } from '../outbound/outbox.js';
import type { Publication } from '../ports/broker.js';
import type { SlowPolicy } from '../ports/policy.js';
import { OwnPace } from './own-pace.js';
import { ConflationLog } from './conflation.js';
import { RateGroup } from './rate-group.js';
import { isRate } from '../../protocol/fields.js';
import { rateFor, steppedRate } from './rate.js';

const frame = (publication: Publication, from?: number): SharedFrame =>
  new SharedFrame(eventText('t', publication, from));

function eventOf(offset: number, key?: string): SharedEvent {
  const publication: Publication = { offset, data: String(offset), ...(key !== undefined && { key }) };
  return new SharedEvent(publication, frame(publication), frame);
}

const budget: OutboundBudget = {
  backPressureThresholdBytes: 1_000_000,
  maxQueuedMessages: 1_000,
  maxQueueAgeMs: 5_000,
  maxQueuedBytesTotal: 1_000_000,
};

interface Event {
  readonly offset: number;
  readonly from?: number;
  readonly data: number;
  readonly key?: string;
}

/** Subscribers on sockets whose pace the test controls, all at offset 0. */
function world(limits: Partial<OutboundBudget> = {}) {
  const clock = new TestClock();
  const flusher = new Flusher(clock);
  const backlogs = new Backlogs({ ...budget, ...limits }, clock);
  const log = new ConflationLog();
  const reader = (slow: SlowPolicy, socket = new TestSocket(true)) => {
    const leftOut: number[] = [];
    const closed: string[] = [];
    const tooSlow = (): void => void (closed.push('too slow'), outbox.drop());
    const outbox = new Outbox(socket, { flusher, backlogs }, { tooSlow });
    const pace = new OwnPace(
      { maxBytes: Infinity, outbox, leftOut: (from) => leftOut.push(from) },
      slow,
      clock,
    );
    pace.restart(0, log);
    return { socket, outbox, pace, leftOut, closed, events: () => socket.messages as Event[] };
  };
  return { clock, backlogs, reader, log };
}

/** One step of a reader, in random order. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ key: fc.constantFrom('a', 'b', 'c', undefined) }) },
  { weight: 2, arbitrary: fc.constant('drain' as const) },
  { weight: 2, arbitrary: fc.constant('flush' as const) },
  { weight: 1, arbitrary: fc.constant('second' as const) },
);

describe('A subscriber that is behind', () => {
  it('[L-9.8] [L-4.7] conflate leaves no gap in the offsets, and delivers the newest of every key in the end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { clock, reader, backlogs } = world();
        const { socket, pace, events } = reader('conflate');
        const newest = new Map<string | undefined, number>();
        let offset = 0;
        for (const each of steps) {
          if (each === 'drain') socket.drain();
          else if (each === 'flush') clock.flush();
          else if (each === 'second') clock.advance(1_000);
          else {
            pace.offer(eventOf(++offset, each.key));
            newest.set(each.key, offset);
          }
        }
        clock.flush();
        for (let i = 0; i < 3; i++) socket.drain();
        let position = 0;
        const seen = new Map<string | undefined, number>();
        for (const { offset: to, from = to, data, key } of events()) {
          expect([from, data]).toEqual([position + 1, to]);
          position = to;
          seen.set(key, to);
        }
        expect(position).toBe(offset);
        expect(seen).toEqual(newest);
        expect([backlogs.bytes, backlogs.size]).toEqual([0, 0]);
      }),
    );
  });

  it('[L-9.8] conflate queues one publication per key while the subscriber does not read', () => {
    const { clock, reader } = world();
    const { socket, outbox, pace, events, leftOut, closed } = reader('conflate');
    pace.offer(eventOf(1, 'a'));
    clock.flush();
    for (let offset = 2; offset <= 10_000; offset++)
      pace.offer(eventOf(offset, offset % 2 === 0 ? 'a' : 'b'));
    expect(outbox.queuedBytes).toBeLessThan(400);
    clock.advance(60_000);
    socket.drain();
    expect(events().slice(1)).toEqual([
      { type: 'event', topic: 't', offset: 9_999, from: 2, data: 9_999, key: 'b' },
      { type: 'event', topic: 't', offset: 10_000, data: 10_000, key: 'a' },
    ]);
    expect([leftOut, closed]).toEqual([[], []]);
  });

  it('[L-9.8] with skip, a subscriber that reads in time gets the whole queue', () => {
    const { clock, reader } = world();
    const { socket, pace, events, leftOut } = reader('skip');
    pace.offer(eventOf(1));
    clock.flush();
    for (const offset of [2, 3]) pace.offer(eventOf(offset));
    socket.drain();
    expect(events().map(({ offset }) => offset)).toEqual([1, 2, 3]);
    expect(leftOut).toEqual([]);
  });

  it.each([
    ['skip', 'too many bytes', { backPressureThresholdBytes: 300 }, 0],
    ['skip', 'old data', { maxQueueAgeMs: 2_000 }, 5_000],
    ['conflate', 'too many bytes after conflation', { backPressureThresholdBytes: 300 }, 0],
    ['skip', 'too many bytes of all together', { maxQueuedBytesTotal: 300 }, 0],
  ] as const)(
    '[L-9.8] %s drops a queue of %s, and reports the first dropped offset when the subscriber reads again',
    (slow, _what, limits, ms) => {
      const { clock, reader, log } = world(limits);
      const { socket, outbox, pace, events, leftOut, closed } = reader(slow);
      pace.offer(eventOf(1, 'a'));
      clock.flush();
      for (let offset = 2; offset <= 10; offset++) pace.offer(eventOf(offset, String(offset)));
      clock.advance(ms);
      clock.flush();
      expect([outbox.queuedBytes, leftOut]).toEqual([socket.bufferedBytes, []]);
      socket.drain();
      expect([events().map(({ offset }) => offset), leftOut, closed]).toEqual([[1], [2], []]);
      pace.offer(eventOf(11));
      pace.restart(12, log);
      for (const offset of [12, 13]) pace.offer(eventOf(offset));
      clock.flush();
      expect(events().map(({ offset }) => offset)).toEqual([1, 13]);
    },
  );

  it('[L-9.8] a stopped pace sends nothing more', () => {
    const { clock, reader, backlogs } = world();
    const { socket, pace, events } = reader('conflate');
    for (const offset of [1, 2]) {
      pace.offer(eventOf(offset));
      clock.flush();
    }
    pace.stop();
    socket.drain();
    expect([events().length, backlogs.bytes]).toEqual([1, 0]);
  });
});

describe('A rate', () => {
  it('[L-4.8] a rate sends the newest of each key, at most once per interval, with the offsets it covers', () => {
    const { clock, reader, backlogs } = world();
    const group = new RateGroup(500, clock, backlogs, () => {});
    const [one, other] = [reader('close', new TestSocket()), reader('close', new TestSocket())];
    for (const { pace } of [one, other]) group.join(pace);
    const at: number[] = [];
    for (let offset = 1; offset <= 40; offset++) {
      group.offer([eventOf(offset, offset % 10 === 0 ? 'b' : 'a')]);
      clock.flush();
      const before = one.events().length;
      clock.advance(100);
      if (one.events().length > before) at.push(clock.now());
    }
    clock.advance(5_000);
    const events = one.events();
    expect(other.events()).toEqual(events);
    let position = 0;
    for (const { offset, from = offset } of events) {
      expect(from).toBe(position + 1);
      position = offset;
    }
    expect(position).toBe(40);
    expect(at.slice(1).every((ms, i) => ms - (at[i] ?? 0) >= 500)).toBe(true);
    expect(events.length).toBeLessThanOrEqual(1 + 5_000 / 500);
    expect(clock.timerCount).toBe(0);
  });

  it('[L-4.8] a subscriber that joins a rate gets only what is new to it, and the last to leave ends the group', () => {
    const { clock, reader, backlogs, log } = world();
    const left: string[] = [];
    const group = new RateGroup(1_000, clock, backlogs, () => left.push('empty'));
    const early = reader('close', new TestSocket());
    group.join(early.pace);
    group.offer([1, 2, 3].map((offset) => eventOf(offset)));
    const late = reader('close', new TestSocket());
    late.pace.restart(3, log);
    group.join(late.pace);
    clock.advance(1_000);
    group.offer([4, 5].map((offset) => eventOf(offset)));
    clock.advance(2_000);
    expect(early.events().map(({ from, offset }) => [from, offset])).toEqual([
      [undefined, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(late.events().map(({ from, offset }) => [from, offset])).toEqual([[4, 5]]);
    for (const { pace } of [early, late]) group.leave(pace);
    expect([left, clock.timerCount]).toEqual([['empty'], 0]);
  });

  it('[L-4.8] a requested rate is rounded down to a step and limited by the topic', () => {
    expect([0.01, 0.15, 0.9, 1, 7.5, 25, 99, 1_000].map(steppedRate)).toEqual([
      0.01, 0.1, 0.8, 1, 6, 20, 80, 1_000,
    ]);
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1_000, noNaN: true }), (rate) => {
        expect(steppedRate(rate)).toBeLessThanOrEqual(rate);
        expect(steppedRate(rate)).toBeGreaterThan(rate / 2.01);
      }),
    );
    expect([rateFor(undefined, undefined), rateFor(undefined, 7), rateFor(9, 7), rateFor(2.5, 7)]).toEqual([
      undefined,
      7,
      7,
      2,
    ]);
    const wrong = [0, -1, 0.001, 1_001, Infinity, NaN, '2', null, {}];
    expect(wrong.filter(isRate)).toEqual([]);
  });
});

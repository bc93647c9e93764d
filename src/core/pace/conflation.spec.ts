import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedEvent } from '../frame/shared-event.js';
import { SharedFrame } from '../frame/shared-frame.js';
import type { Publication } from '../ports/broker.js';
import { Conflation, ConflationLog } from './conflation.js';

const frame = ({ offset, key }: Publication): SharedFrame =>
  new SharedFrame(`${String(offset)} ${key ?? ''}`);

function eventOf(offset: number, key?: string): SharedEvent {
  const publication: Publication = { offset, data: '', ...(key !== undefined && { key }) };
  return new SharedEvent(publication, frame(publication), frame);
}

/** What a reader has to get, kept for it alone. */
class Alone {
  private readonly newest = new Map<string | undefined, SharedEvent>();

  add(event: SharedEvent): void {
    this.newest.delete(event.key);
    this.newest.set(event.key, event);
  }

  take(): SharedEvent | undefined {
    const [first] = this.newest.values();
    if (first !== undefined) this.newest.delete(first.key);
    return first;
  }

  clear(): void {
    this.newest.clear();
  }

  get counted() {
    const frames = [...this.newest.values()].map(({ frame }) => frame.bytes.byteLength);
    return { size: frames.length, bytes: frames.reduce((sum, bytes) => sum + bytes, 0) };
  }
}

const readers = 3;
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      key: fc.constantFrom('a', 'b', 'c', undefined, 'new'),
      behind: fc.array(fc.nat(readers - 1), { maxLength: readers }),
      many: fc.constantFrom(1, 1, 1, 90),
    }),
  },
  { weight: 3, arbitrary: fc.record({ takes: fc.nat(readers - 1), count: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ clears: fc.nat(readers - 1) }) },
);

describe('A log that several readers share', () => {
  it('[L-9.8] each reader gets from a shared log what it would get from its own', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const log = new ConflationLog();
        const all = Array.from({ length: readers }, () => ({
          shared: new Conflation(log),
          alone: new Alone(),
        }));
        let offset = 0;
        for (const each of steps) {
          if ('takes' in each) {
            const reader = all[each.takes];
            for (let i = 0; i < each.count; i++) expect(reader?.shared.take()).toBe(reader?.alone.take());
          } else if ('clears' in each) {
            all[each.clears]?.shared.clear();
            all[each.clears]?.alone.clear();
          } else {
            for (let i = 0; i < each.many; i++) {
              offset += 1;
              const event = eventOf(offset, each.key === 'new' ? `new ${String(offset)}` : each.key);
              // A reader that has something waiting is offered everything until it has it all.
              for (const [place, { shared, alone }] of all.entries()) {
                if (shared.size === 0 && !each.behind.includes(place)) continue;
                shared.add(event);
                alone.add(event);
              }
            }
          }
          for (const { shared, alone } of all)
            expect({ size: shared.size, bytes: shared.bytes }).toEqual(alone.counted);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('[L-9.8] a reader takes nothing that it was not offered yet', () => {
    const log = new ConflationLog();
    const [first, second] = [new Conflation(log), new Conflation(log)];
    const [old, newer] = [eventOf(1, 'a'), eventOf(2, 'a')];
    for (const reader of [first, second]) reader.add(old);
    first.add(newer);
    expect(second.take()).toBeUndefined();
    second.add(newer);
    expect([second.size, second.take(), second.size, second.bytes]).toEqual([1, newer, 0, 0]);
  });

  it('[L-9.8] a log keeps what its readers still need, and at most as much again', () => {
    const log = new ConflationLog();
    const [stuck, reading] = [new Conflation(log), new Conflation(log)];
    for (let offset = 1; offset <= 10_000; offset++) {
      const event = eventOf(offset, String(offset % 10));
      for (const reader of [stuck, reading]) reader.add(event);
      while (reading.take() !== undefined);
    }
    expect([stuck.size, reading.size]).toEqual([10, 0]);
    expect(log.size).toBeLessThan(80);
    stuck.clear();
    expect(log.size).toBe(0);
  });

  it('[L-9.8] a log forgets keys that every reader has taken', () => {
    const log = new ConflationLog();
    const reader = new Conflation(log);
    for (let offset = 1; offset <= 10_000; offset++) {
      reader.add(eventOf(offset, String(offset)));
      if (offset > 1) reader.take();
    }
    expect(reader.size).toBe(1);
    expect(log.size).toBeLessThan(140);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../connection/connection.js';
import { SharedFrame } from '../frame/shared-frame.js';
import type { Pace } from '../pace/pace.js';
import { Subscribers, Subscription } from './subscription.js';

const frame = new SharedFrame('{}');

/** A subscriber that counts the frames it gets. */
function subscriber(after = 0, paced = false) {
  const seen = { got: 0 };
  const connection = { outbox: { push: () => (seen.got += 1) } } as unknown as Connection;
  const subscription = new Subscription(connection, { remove: () => {}, leftOut: () => {} }, after);
  if (paced) subscription.pace = {} as Pace;
  return Object.assign(seen, { subscription });
}

describe('Subscribers', () => {
  it('[L-4.1] a publication is pushed once to each current subscriber, after any joins and leaves', () => {
    const everybody = Array.from({ length: 8 }, () => subscriber());
    const turns = fc.array(fc.integer({ min: 0, max: everybody.length - 1 }), { maxLength: 40 });
    fc.assert(
      fc.property(turns, (order) => {
        const subscribers = new Subscribers();
        const inside = new Set<(typeof everybody)[number]>();
        for (const turn of order) {
          const each = everybody[turn];
          if (each === undefined) continue;
          if (inside.delete(each)) subscribers.remove(each.subscription);
          else {
            inside.add(each);
            subscribers.add(each.subscription);
          }
        }
        const before = everybody.map(({ got }) => got);
        subscribers.push(frame);
        const sent = everybody.map((each, i) => each.got - (before[i] ?? 0));
        expect(sent).toEqual(everybody.map((each) => (inside.has(each) ? 1 : 0)));
        expect(subscribers.all.map(({ index }) => index)).toEqual(subscribers.all.map((_, i) => i));
        for (const { subscription } of inside) subscribers.remove(subscription);
        expect(subscribers.count).toBe(0);
      }),
    );
  });

  it('[L-3.10] a publication is not pushed to all alike while a subscriber already has it or has a pace', () => {
    const subscribers = new Subscribers();
    const [ahead, paced] = [subscriber(7), subscriber(0, true)];
    subscribers.add(ahead.subscription);
    expect([7, 8].map((offset) => subscribers.allTakeFrom(offset))).toEqual([false, true]);
    subscribers.add(paced.subscription);
    expect(subscribers.allTakeFrom(8)).toBe(false);
    subscribers.remove(paced.subscription);
    expect(subscribers.allTakeFrom(8)).toBe(true);
    subscribers.startOver();
    expect(subscribers.allTakeFrom(1)).toBe(true);
  });
});

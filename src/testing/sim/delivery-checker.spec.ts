import { describe, expect, it } from 'vitest';
import { deliveryFaults } from './delivery-checker.js';

const subscribed = (offset: number, topic = 't') => ({
  type: 'subscribed',
  topic,
  epoch: 'e',
  offset,
  recovered: false,
});
const event = (offset: number, topic = 't') => ({ type: 'event', topic, offset, data: offset });
const rulesOf = (...transcript: readonly object[]) => deliveryFaults(transcript).map(({ rule }) => rule);

describe('deliveryFaults', () => {
  it('[L-4.5] deliveryFaults finds no fault in consecutive events of several topics', () => {
    expect(
      rulesOf(subscribed(3), event(4), subscribed(0, 'u'), event(1, 'u'), event(5), event(2, 'u')),
    ).toEqual([]);
  });

  it.each([
    ['a gap', [subscribed(3), event(5)]],
    ['a duplicate', [subscribed(3), event(4), event(4)]],
    ['an old event', [subscribed(3), event(3)]],
    ['a gap under a merged event', [subscribed(3), { ...event(7), from: 5 }]],
    [
      'a lost range that does not follow the last event',
      [subscribed(3), { type: 'lost', topic: 't', from: 5, to: 6, count: 2 }],
    ],
  ])('[L-4.5] deliveryFaults reports %s', (_what, transcript) => {
    expect(rulesOf(...transcript)).toEqual(['order']);
  });

  it.each([
    ['before the answer to its subscribe', [event(1), subscribed(1)]],
    ['after the unsubscribe', [subscribed(0), { type: 'unsubscribed', topic: 't' }, event(1)]],
    ['of another topic', [subscribed(0), event(1, 'u')]],
  ])('[L-3.6] [L-3.10] deliveryFaults reports an event %s', (_what, transcript) => {
    expect(rulesOf(...transcript)).toEqual(['unsubscribed']);
  });

  it('[L-5.8] deliveryFaults continues after a lost range and after a merged event', () => {
    const lost = { type: 'lost', topic: 't', from: 4, to: 6, count: 3 };
    expect(rulesOf(subscribed(3), lost, event(7), { ...event(9), from: 8 })).toEqual([]);
  });

  it('[L-4.1] deliveryFaults reports an event that differs from its publication', () => {
    const find = (topic: string, { offset }: { readonly offset: number }) =>
      topic === 't' ? { text: String(offset) } : undefined;
    expect(deliveryFaults([subscribed(0), event(1)], find)).toEqual([]);
    expect(deliveryFaults([subscribed(0), { ...event(1), data: 'x' }], find)).toHaveLength(1);
    expect(deliveryFaults([subscribed(0), { ...event(1), key: 'k' }], find)).toHaveLength(1);
  });
});

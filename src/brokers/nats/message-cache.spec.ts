import { describe, expect, it } from 'vitest';
import { MessageCache } from './message-cache.js';
import type { StoredMessage } from './stored-message.js';

const message = (seq: number, bytes = 0): StoredMessage => ({
  stream: 's',
  seq,
  atMs: 0,
  bytes,
  epoch: 'e',
  life: 1,
  lineage: [],
  top: seq,
  tail: 0,
  refs: [],
  publications: [],
  kept: true,
  remembered: false,
});

describe('MessageCache', () => {
  it('the cache stays within its bytes and drops the least recently used messages', () => {
    const cache = new MessageCache(5_000);
    for (let seq = 1; seq <= 10; seq++) cache.put('t', message(seq));
    cache.get(1, 't');
    cache.put('t', message(11, 1_000));
    const kept = Array.from({ length: 11 }, (_, i) => i + 1).filter(
      (seq) => cache.get(seq, 't') !== undefined,
    );
    expect(kept).toEqual([1, 5, 6, 7, 8, 9, 10, 11]);
    cache.put('t', message(12, 10_000));
    expect([1, 11, 12].map((seq) => cache.get(seq, 't'))).toEqual([undefined, undefined, undefined]);
  });

  it('a message is only returned for its own topic', () => {
    const cache = new MessageCache(5_000);
    cache.put('t', message(1));
    expect([cache.get(1, 'other'), cache.get(1, 't')?.seq]).toEqual([undefined, 1]);
    cache.clear();
    expect(cache.get(1, 't')).toBeUndefined();
  });
});

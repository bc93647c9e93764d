import { describe, expect, it } from 'vitest';
import { TestLive } from '../testing/test-live.js';
import { TestSocket } from '../testing/test-socket.js';
import type { TopicRules } from './ports/policy.js';
import { KeyedSnapshot } from './stream/keyed-snapshot.js';

function world(rules: Partial<TopicRules> = {}) {
  const test = new TestLive({
    rulesFor: () => ({ latest: 'last-per-key', ...rules }),
    limits: { maxPageBytes: 60 },
  });
  const put = (key: string, data: unknown) => test.live.publish('t', data, { key });
  const subscribe = async (wishes: object) => {
    const peer = test.connect();
    await peer.send({ type: 'subscribe', topic: 't', ...wishes });
    await test.clock.settle();
    return peer.received() as Record<string, unknown>[];
  };
  return { test, put, subscribe };
}

const limits = { maxKeys: 10_000, maxBytes: 1_048_576 };

describe('A snapshot as a list of entries', () => {
  it('[L-6.11] the list has each key in the order of the last publications, with its age and the limits', async () => {
    const { test, put, subscribe } = world({ maxKeyAgeMs: 10_000 });
    for (const key of ['a', '7', 'b', '3']) {
      await put(key, { key });
      await test.clock.advance(100);
    }
    await put('a', 2);
    await test.clock.advance(50.7);
    const [answer] = await subscribe({ entries: true });
    expect(answer).toMatchObject({
      entries: { ...limits, maxKeyAgeMs: 10_000 },
      snapshot: [
        ['7', { key: '7' }, 350],
        ['b', { key: 'b' }, 250],
        ['3', { key: '3' }, 150],
        ['a', 2, 50],
      ],
    });
    await test.clock.advance(9_800);
    const [later] = await subscribe({ entries: true });
    expect(later?.['snapshot']).toEqual([
      ['3', { key: '3' }, 9_950],
      ['a', 2, 9_850],
    ]);
  });

  it('[L-6.11] keys without a maximum age have none in the list', async () => {
    const { put, subscribe } = world();
    await put('a', 1);
    await put('__proto__', 2);
    const [answer] = await subscribe({ entries: true });
    expect(answer).toMatchObject({
      entries: limits,
      snapshot: [
        ['a', 1],
        ['__proto__', 2],
      ],
    });
  });

  it('[L-6.11] a topic without publications has an empty list and the limits', async () => {
    const [answer] = await world().subscribe({ entries: true });
    expect(answer).toMatchObject({ offset: 0, entries: limits, snapshot: [] });
  });

  it('[L-6.10] [L-6.11] a large list comes in pages', async () => {
    const { test, put } = world();
    for (const key of ['a', 'b', 'c', 'd']) await put(key, 'x'.repeat(20));
    const socket = new TestSocket(true);
    const peer = test.connect({ socket });
    socket.drain();
    peer.received();
    await peer.send({ type: 'subscribe', topic: 't', entries: true, pages: true });
    const read: Record<string, unknown>[] = [];
    for (let turns = 0; turns < 6; turns++) {
      socket.drain();
      await test.clock.settle();
      read.push(...(peer.received() as Record<string, unknown>[]));
    }
    const [answer, ...pages] = read;
    expect(answer).toMatchObject({ entries: limits, pages: true });
    expect(pages.flatMap(({ snapshot }) => snapshot as [string][]).map(([key]) => key)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
    expect(pages.length).toBeGreaterThan(1);
  });

  it('[L-6.11] other subscribers and other snapshots are as without it', async () => {
    const { put, subscribe } = world({ maxKeyAgeMs: 10_000 });
    await put('a', 1);
    for (const wishes of [{}, { entries: false }]) {
      const [answer] = await subscribe(wishes);
      expect(answer).toMatchObject({ snapshot: { a: 1 } });
      expect(answer).not.toHaveProperty('entries');
    }
    const own = world({ snapshot: () => ({ b: 1 }) });
    const [answer] = await own.subscribe({ entries: true });
    expect(answer).toMatchObject({ snapshot: { b: 1 } });
    expect(answer).not.toHaveProperty('entries');
  });

  it('[L-6.11] a value other than true or false is a protocol violation', async () => {
    const [answer] = await world().subscribe({ entries: 1 });
    expect(answer).toMatchObject({ code: 'protocol-violation', message: '"entries" must be true or false' });
  });

  it('[L-6.2] [L-6.11] the list is made once for all that share the snapshot, and not before one needs it', () => {
    let read = 0;
    const publication = {
      offset: 1,
      key: 'a',
      get data() {
        read += 1;
        return '1';
      },
    };
    const snapshot = new KeyedSnapshot(
      { top: { epoch: 'e', offset: 1 }, publications: [publication], agesMs: [undefined] },
      5,
    );
    expect([snapshot.text, read]).toEqual(['{"a":1}', 1]);
    expect([snapshot.asEntries.text, snapshot.asEntries, read]).toEqual(['[["a",1]]', snapshot.asEntries, 2]);
  });
});

import { describe, expect, it } from 'vitest';
import { TestLive } from '../testing/test-live.js';
import { TestSocket } from '../testing/test-socket.js';
import { LiveError } from '../protocol/live.error.js';
import type { TopicRules } from './ports/policy.js';

const history = { size: 10, ttlMs: 60_000, maxBytes: 10_000 };

function world(rules: Partial<TopicRules> = {}) {
  const refused: string[] = [];
  const test = new TestLive({
    rulesFor: () => ({ latest: 'last-per-key', history, ...rules }),
    observer: { versionRefused: (topic) => void refused.push(topic) },
  });
  const put = (key: string, data: unknown, version?: number) =>
    test.live.publish('t', data, { key, ...(version !== undefined && { version }) });
  const remove = (key: string, version?: number) =>
    test.live.publish('t', undefined, { key, remove: true, ...(version !== undefined && { version }) });
  const snapshot = async (since?: object) => {
    const peer = test.connect();
    await peer.send({ type: 'subscribe', topic: 't', ...(since && { since }) });
    return peer.received() as Record<string, unknown>[];
  };
  return { clock: test.clock, test, refused, put, remove, snapshot };
}

describe('A removal', () => {
  it('[L-4.11] a removal is an event without data, and is recovered as one', async () => {
    const { test, put, remove, snapshot } = world();
    const peer = test.connect();
    await peer.send({ type: 'subscribe', topic: 't' });
    const { epoch } = await put('a', 1);
    await remove('a');
    await test.clock.settle();
    const event = { type: 'event', topic: 't', offset: 2, removed: true, key: 'a' };
    expect(peer.received().at(-1)).toStrictEqual(event);
    const [answer, ...events] = await snapshot({ epoch, offset: 1 });
    expect([answer?.['recovered'], events]).toStrictEqual([true, [event]]);
  });

  it('[L-4.11] a removal replaces the queued publication of its key for a slow reader', async () => {
    const { test, put, remove } = world({ delivery: { slow: 'conflate' } });
    const socket = new TestSocket(true);
    const peer = test.connect({ socket });
    await peer.send({ type: 'subscribe', topic: 't' });
    socket.drain();
    await put('a', 1);
    await test.clock.settle();
    // From here on the peer is slow.
    for (const key of ['b', 'c']) await put(key, 1);
    await remove('b');
    await test.clock.settle();
    socket.drain();
    await test.clock.settle();
    socket.drain();
    await test.clock.settle();
    const events = socket.messages.filter((message) => (message as { type: string }).type === 'event');
    expect(events).toStrictEqual([
      { type: 'event', topic: 't', offset: 1, data: 1, key: 'a' },
      { type: 'event', topic: 't', offset: 3, from: 2, data: 1, key: 'c' },
      { type: 'event', topic: 't', offset: 4, removed: true, key: 'b' },
    ]);
  });

  it('[L-6.6] a removed key is not in the snapshot, which is empty without any key', async () => {
    const { put, remove, snapshot } = world();
    for (const key of ['a', 'b']) await put(key, 1);
    await remove('a');
    expect((await snapshot())[0]).toMatchObject({ offset: 3, snapshot: { b: 1 } });
    await remove('b');
    expect((await snapshot())[0]).toMatchObject({ offset: 4, snapshot: {} });
    await put('a', 2);
    expect((await snapshot())[0]).toMatchObject({ offset: 5, snapshot: { a: 2 } });
  });

  it('[L-6.6] a late older version does not restore a removed key', async () => {
    const { put, remove, snapshot } = world();
    await put('a', 1, 5);
    await remove('a', 7);
    expect((await put('a', 'late', 6)).suppressed).toBe('stale');
    expect((await snapshot())[0]).toMatchObject({ offset: 2, snapshot: {} });
    expect((await put('a', 2, 8)).suppressed).toBeUndefined();
  });

  it('[L-6.6] a topic whose last publication is a removal has no last publication', async () => {
    const { put, remove, snapshot } = world({ latest: 'last' });
    await put('a', 1);
    await remove('b');
    expect((await snapshot())[0]).not.toHaveProperty('snapshot');
  });

  it('[L-6.7] a key that was not published within maxKeyAgeMs leaves the snapshot', async () => {
    const { clock, put, snapshot } = world({ maxKeyAgeMs: 1_000 });
    await put('old', 1);
    await put('new', 1);
    clock.advance(600);
    await put('new', 2);
    clock.advance(400);
    expect((await snapshot())[0]).toMatchObject({ snapshot: { old: 1, new: 2 } });
    clock.advance(1);
    expect((await snapshot())[0]).toMatchObject({ snapshot: { new: 2 } });
    await put('old', 3);
    expect((await snapshot())[0]).toMatchObject({ snapshot: { new: 2, old: 3 } });
  });

  it.each([
    ['no key', undefined, { remove: true as const }, /needs the key/],
    ['data', 1, { key: 'a', remove: true as const }, /has no data/],
    ['remove: false', undefined, { key: 'a', remove: false as never }, /true or absent/],
  ])('a removal with %s is refused', async (_what, data, options, message) => {
    const { test } = world();
    await expect(test.live.publish('t', data, options)).rejects.toThrow(message);
  });

  it.each([
    [{ remove: true, key: 'a' }, 'published', undefined],
    [{ remove: true }, 'error', '"key" must be there with "remove"'],
    [{ remove: true, key: 'a', data: null }, 'error', '"data" must be absent with "remove"'],
    [{ remove: 1, key: 'a' }, 'error', '"remove" must be true or absent'],
    [{ remove: false, key: 'a', data: 1 }, 'error', '"remove" must be true or absent'],
  ])('[L-4.12] a client that publishes %j gets %s', async (fields, type, message) => {
    const peer = world().test.connect();
    await peer.send({ type: 'publish', id: 1, topic: 't', ...fields });
    const code = type === 'error' ? { code: 'protocol-violation', message } : {};
    expect(peer.received()).toEqual([expect.objectContaining({ type, id: 1, ...code })]);
  });
});

describe('The version of a publication', () => {
  it('a key whose versions run ahead does not block other keys', async () => {
    const { put } = world();
    const places = [];
    for (const [key, version] of [
      ['van-1', 1_000],
      ['van-2', 200],
      ['van-3', 9e12],
      ['van-1', 2_000],
      ['van-2', 3_000],
    ] as const)
      places.push((await put(key, 1, version)).suppressed ?? 'stored');
    expect(places).toEqual(['stored', 'stored', 'stored', 'stored', 'stored']);
  });

  it('a version further ahead of the clock than maxVersionAheadMs is refused and reported to the observer', async () => {
    const { clock, put, remove, refused } = world({ maxVersionAheadMs: 5_000 });
    const now = clock.wallMs();
    await put('a', 1, now + 5_000);
    const error = await put('a', 1, now + 5_001).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LiveError);
    expect(error).toMatchObject({
      code: 'validation-failed',
      message: "The version is 5001 ms ahead of the server's clock, and may be 5000",
    });
    await expect(remove('a', now + 60_000)).rejects.toThrow('ahead');
    expect(refused).toEqual(['t', 't']);
  });
});

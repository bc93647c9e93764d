import { describe, expect, it, vi } from 'vitest';
import { silentSink } from '../../core/ports/broker.js';
import { TestClock } from '../../testing/test-clock.js';
import type { Position } from '../../protocol/position.js';
import { MemoryBroker } from './memory-broker.js';
import type { MemoryBrokerOptions } from './memory-broker.options.js';

const history = { size: 10, ttlMs: 1_000, maxBytes: 1_000 };
const limits = { count: 300, bytes: 1_000_000 };

function started(options: MemoryBrokerOptions = {}) {
  const clock = new TestClock();
  const broker = new MemoryBroker(options, clock);
  const delivered: unknown[] = [];
  broker.start({
    ...silentSink,
    publication: (topic, _epoch, { offset, data }) => void delivered.push([topic, offset, data]),
  });
  return { broker, clock, delivered };
}

describe('MemoryBroker', () => {
  it('[L-4.2] publications of a topic are numbered from 1, without a gap, in one epoch', async () => {
    const { broker } = started();
    const positions = [];
    for (const topic of ['a', 'b', 'a', 'a']) positions.push(await broker.publish(topic, '1', {}));
    expect(positions.map(({ offset }) => offset)).toEqual([1, 1, 2, 3]);
    expect(new Set([positions[0]?.epoch, positions[2]?.epoch, positions[3]?.epoch]).size).toBe(1);
  });

  it('the broker delivers only subscribed topics, before publish returns, and none after unsubscribe', async () => {
    const { broker, delivered } = started();
    await broker.publish('t', '1', {});
    await broker.subscribe('t');
    void broker.publish('t', '2', {});
    expect(delivered).toEqual([['t', 2, '2']]);
    await broker.unsubscribe('t');
    await broker.publish('t', '3', {});
    expect(delivered).toHaveLength(1);
  });

  it('[L-5.1] history expires after its TTL, even in a topic that is not used', async () => {
    const { broker, clock } = started();
    const { epoch } = await broker.publish('t', '1', { history });
    const since = { epoch, offset: 0 };
    expect((await broker.read('t', since, limits)).missed).toHaveLength(1);
    clock.advance(1_001);
    expect((await broker.read('t', since, limits)).missed).toBeUndefined();
    expect((await broker.read('t', { epoch, offset: 1 }, limits)).missed).toEqual([]);
  });

  it('[L-4.2] a forgotten topic starts a new epoch, and a subscribed topic is never forgotten', async () => {
    const { broker } = started({ maxStreams: 2 });
    const kept = await broker.publish('kept', '1', {});
    await broker.subscribe('kept');
    const first = await broker.publish('a', '1', {});
    await broker.publish('b', '1', {});
    const again = await broker.publish('a', '1', {});
    expect([again.offset, again.epoch === first.epoch]).toEqual([1, false]);
    expect(await broker.publish('kept', '1', {})).toEqual({ epoch: kept.epoch, offset: 2 });
  });

  it('reading topics without publications stores nothing and evicts nothing', async () => {
    const { broker } = started({ maxStreams: 2 });
    const kept = await Promise.all(['a', 'b'].map((topic) => broker.publish(topic, '1', { history })));
    for (let i = 0; i < 10; i++) {
      await broker.read(`named-${String(i)}`, undefined, limits);
      await broker.latest(`named-${String(i)}`);
    }
    await broker.tops(Array.from({ length: 10 }, (_, i) => `named-${String(i)}`));
    const tops = await broker.tops(['a', 'b']);
    expect([...tops.values()]).toEqual(kept);
  });

  it('[L-4.2] a subscribed topic keeps its epoch until its first publication, whatever is forgotten', async () => {
    const { broker } = started({ maxStreams: 1 });
    await broker.subscribe('awaited');
    const { top } = await broker.read('awaited', undefined, limits);
    await broker.publish('a', '1', {});
    await broker.publish('b', '1', {});
    const first = await broker.publish('awaited', '1', {});
    expect(first).toEqual({ epoch: top.epoch, offset: 1 });
    expect((await broker.read('awaited', top, limits)).top).toEqual(first);
    expect((await broker.read('other', undefined, limits)).top.epoch).not.toBe(top.epoch);
  });

  it('beyond the byte budget the topics idle the longest lose their history and are unrecoverable', async () => {
    const { broker } = started({ maxBytes: 1_000 });
    const data = JSON.stringify('x'.repeat(98));
    const positions = new Map<string, Position>();
    await broker.subscribe('subscribed');
    for (const topic of ['subscribed', ...'abcdefghijklmn'])
      positions.set(topic, await broker.publish(topic, data, { history }));
    const recovered: string[] = [];
    for (const [topic, { epoch }] of positions) {
      if ((await broker.read(topic, { epoch, offset: 0 }, limits)).missed !== undefined)
        recovered.push(topic);
    }
    expect(recovered.join('')).toBe('efghijklmn');
    expect((await broker.publish('subscribed', data, {})).epoch).toBe(positions.get('subscribed')?.epoch);
    expect((await broker.publish('a', data, {})).epoch).not.toBe(positions.get('a')?.epoch);
  });

  it('[L-6.5] beyond the byte budget the subscribed topics keep their latest values', async () => {
    const { broker } = started({ maxBytes: 1_000 });
    const text = JSON.stringify('x'.repeat(400));
    for (const topic of ['a', 'b', 'c', 'd']) {
      await broker.subscribe(topic);
      await broker.publish(topic, text, { history, latest: 'last' });
    }
    for (const topic of ['a', 'b', 'c', 'd'])
      expect((await broker.latest(topic)).publications).toMatchObject([{ data: text }]);
    expect(
      (await broker.read('a', { ...(await broker.read('a', undefined, limits)).top, offset: 0 }, limits))
        .missed,
    ).toBeUndefined();
  });

  it('beyond a budget a publication looks at few topics, however many cannot be dropped', async () => {
    const { broker } = started({ maxBytes: 1_000, maxStreams: 500 });
    const text = JSON.stringify('x'.repeat(98));
    const topics = Array.from({ length: 500 }, (_, i) => `t${String(i)}`);
    for (const topic of topics) await broker.subscribe(topic);
    for (const topic of topics) await broker.publish(topic, text, { latest: 'last' });
    const looked = vi.spyOn(Map.prototype, 'has');
    await broker.publish('t7', text, { latest: 'last' });
    await broker.publish('new', text, { history });
    const lookups = looked.mock.calls.length;
    looked.mockRestore();
    expect(lookups).toBeLessThan(250);
    // Those that can be dropped are found all the same, a few publications later.
    for (const topic of topics.slice(0, 100)) await broker.unsubscribe(topic);
    for (let i = 0; i < 20; i++) await broker.publish('t499', text, { latest: 'last' });
    const kept = await Promise.all(topics.map((topic) => broker.latest(topic)));
    expect(kept.filter(({ publications }) => publications.length > 0)).toHaveLength(400);
  });

  it('[L-6.5] the latest values keep the last one per key, for the keys published last', async () => {
    const { broker } = started();
    const data = JSON.stringify('x'.repeat(199_998));
    for (const key of ['a', 'b', 'c', 'a', 'd', 'e', 'f'])
      await broker.publish('t', data, { key, latest: 'last-per-key' });
    expect((await broker.latest('t')).publications.map(({ key }) => key)).toEqual(
      ['c', 'a', 'd', 'e', 'f'].slice(-5),
    );
  });

  it('an idempotency key is forgotten after five minutes, and earlier if there are too many', async () => {
    const { broker, clock } = started({ maxIdempotencyKeys: 2 });
    const publish = async (idempotencyKey: string) =>
      (await broker.publish('t', '1', { idempotencyKey })).suppressed ?? 'stored';
    expect([await publish('a'), await publish('a')]).toEqual(['stored', 'duplicate']);
    clock.advance(300_000);
    expect(await publish('a')).toBe('duplicate');
    clock.advance(1);
    expect(await publish('a')).toBe('stored');
    for (const key of ['b', 'c']) expect(await publish(key)).toBe('stored');
    expect([await publish('b'), await publish('c'), await publish('a')]).toEqual([
      'duplicate',
      'duplicate',
      'stored',
    ]);
  });

  it('a closed broker rejects calls and leaves no timer', async () => {
    const { broker, clock } = started();
    await broker.close();
    await expect(broker.publish('t', '1', {})).rejects.toThrow('closed');
    expect(clock.timerCount).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { type LiveService, LiveTopic } from '../src/index.js';
import { deliveryFaults, LiveTestClient } from '../src/testing/index.js';
import { platforms, startLiveApp } from './support/live-app.js';

const KiB = 1024;
const vehicles = 20;

class Everybody {
  canSubscribe(): boolean {
    return true;
  }
}

@LiveTopic('conflated', { slow: 'conflate', history: { size: 50 } })
class Conflated extends Everybody {}

@LiveTopic('skipped', { slow: 'skip', snapshot: 'last-per-key' })
class Skipped extends Everybody {}

@LiveTopic('bare', { slow: 'skip' })
class SkippedWithoutSnapshot extends Everybody {}

@LiveTopic('rated', { maxRate: 20, history: { size: 1_000 } })
class Rated extends Everybody {}

const providers = [Conflated, Skipped, SkippedWithoutSnapshot, Rated];

const keyOf = (i: number): string => `vehicle-${String(i % vehicles)}`;
const dataOf = (i: number): { i: number; filler: string } => ({ i, filler: 'x'.repeat(8 * KiB) });

/** Publishes `count` messages and yields to the event loop regularly, as an application does. */
async function publish(live: LiveService, topic: string, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) {
    await live.publish(topic, dataOf(i), { key: keyOf(i) });
    if (i % 10 === 0) await new Promise(setImmediate);
  }
}

/** A client that has subscribed over real TCP and then stopped reading. */
async function stopped(url: string, topic: string): Promise<LiveTestClient> {
  const client = await LiveTestClient.connect(url, { token: 'slow', timeoutMs: 15_000 });
  await client.request({ type: 'subscribe', id: 1, topic });
  client.socket.pause();
  return client;
}

const total = 3_000;

/**
 * The kernel buffers some megabytes on loopback, everything else waits in the server. The specs in
 * `src/core/pace` prove on simulated sockets exactly what waits and what is dropped.
 */
describe.each(platforms)('9. A peer that does not read, on %s', (_name, platform) => {
  it('[L-9.8] [L-4.7] conflate: a peer that does not read queues one publication per key, then gets the newest of each', async () => {
    const { live, url } = await startLiveApp({ platform, providers });
    const slow = await stopped(url, 'conflated');
    await publish(live, 'conflated', 1, total);
    // 24 MiB were published.
    expect(live.stats().queuedBytes).toBeLessThan(2 * vehicles * 8 * KiB);
    slow.socket.resume();
    await expect.poll(() => slow.transcript.at(-1)?.['offset'], { timeout: 15_000 }).toBe(total);
    expect(deliveryFaults(slow.transcript)).toEqual([]);
    const events = slow.transcript.filter(({ type }) => type === 'event');
    expect(events.length).toBeLessThan(total / 2);
    expect(events.some(({ offset, from = offset }) => from !== offset)).toBe(true);
    const newest = new Map(events.map(({ key, data }) => [key, (data as { i: number }).i]));
    expect([...newest.values()].toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: vehicles }, (_, i) => total - vehicles + 1 + i),
    );
  }, 30_000);

  it('[L-9.8] [L-5.8] skip: a peer that does not read gets lost for what it missed, then the snapshot', async () => {
    const { live, url } = await startLiveApp({ platform, providers });
    const slow = await stopped(url, 'skipped');
    await publish(live, 'skipped', 1, total);
    expect(live.stats().connections).toBe(1);
    expect(live.stats().queuedBytes).toBeLessThan(1_200 * KiB);
    slow.socket.resume();
    await slow.nextOf('lost');
    const start = await slow.nextOf('subscribed');
    expect(start).toMatchObject({ topic: 'skipped', offset: total, recovered: false });
    expect(Object.keys(start['snapshot'] as object)).toHaveLength(vehicles);
    await publish(live, 'skipped', total + 1, 1);
    expect(await slow.nextOf('event')).toMatchObject({ offset: total + 1 });
    const [lost] = slow.transcript.filter(({ type }) => type === 'lost');
    const before = slow.transcript.findLast(
      ({ type }, i) => type === 'event' && i < slow.transcript.indexOf(lost ?? start),
    );
    expect(lost).toMatchObject({ from: Number(before?.['offset']) + 1, to: total });
    expect(deliveryFaults(slow.transcript.filter((message) => message !== start))).toEqual([]);
  }, 30_000);

  it('[L-9.8] skip: a peer continues after lost if the topic has no snapshot', async () => {
    const { live, url } = await startLiveApp({ platform, providers });
    const slow = await stopped(url, 'bare');
    await publish(live, 'bare', 1, total);
    slow.socket.resume();
    expect(await slow.nextOf('lost')).toMatchObject({ topic: 'bare', to: total });
    await publish(live, 'bare', total + 1, 1);
    expect(await slow.nextOf('event')).toMatchObject({ offset: total + 1 });
    expect(deliveryFaults(slow.transcript)).toEqual([]);
  }, 30_000);

  it('[L-9.8] a peer that does not read does not affect a peer that does', async () => {
    const { live, url } = await startLiveApp({ platform, providers });
    await stopped(url, 'conflated');
    const reader = await LiveTestClient.connect(url, { token: 'quick' });
    await reader.request({ type: 'subscribe', id: 1, topic: 'conflated' });
    await publish(live, 'conflated', 1, 1_000);
    await expect.poll(() => reader.transcript.at(-1)?.['offset'], { timeout: 15_000 }).toBe(1_000);
    expect(deliveryFaults(reader.transcript)).toEqual([]);
  }, 30_000);
});

describe('4. A rate', () => {
  it('[L-4.8] a rate set by the topic, or a lower one set by the client, loses nothing, also when the client changes it', async () => {
    const { live, url } = await startLiveApp({ providers });
    const asked = await LiveTestClient.connect(url, { token: 'ann' });
    await asked.request({ type: 'subscribe', id: 1, topic: 'rated', maxRate: 4 });
    const allowed = await LiveTestClient.connect(url, { token: 'bob' });
    await allowed.request({ type: 'subscribe', id: 1, topic: 'rated', maxRate: 500 });
    const startMs = performance.now();
    let published = 0;
    while (performance.now() - startMs < 1_500) {
      await live.publish('rated', ++published, { key: 'a' });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await asked.settle();
    const position = asked.transcript.findLast(({ type }) => type === 'event');
    const { epoch } = await live.publish('rated', ++published, { key: 'a' });
    const since = { epoch, offset: position?.['offset'] };
    // The rate changes on the open subscription, so what was waiting is sent at once.
    await asked.request({ type: 'subscribe', id: 2, topic: 'rated', since });
    for (const client of [asked, allowed])
      await expect.poll(() => client.transcript.at(-1)?.['offset']).toBe(published);
    expect(deliveryFaults(asked.transcript)).toEqual([]);
    expect(deliveryFaults(allowed.transcript)).toEqual([]);
    const slowly = asked.transcript.slice(
      0,
      asked.transcript.findIndex(({ id }) => id === 2),
    );
    expect(slowly.filter(({ type }) => type === 'event').length).toBeLessThanOrEqual(1 + 1.6 * 4);
    expect(allowed.transcript.filter(({ type }) => type === 'event').length).toBeLessThanOrEqual(
      3 + 1.6 * 20,
    );
  }, 20_000);

  it.each([0, -1, 'fast', 1e9, null, {}])(
    '[L-4.8] the invalid maxRate %j is a violation',
    async (maxRate) => {
      const { url } = await startLiveApp({ providers });
      const client = await LiveTestClient.connect(url, { token: 'ann' });
      expect(await client.request({ type: 'subscribe', id: 1, topic: 'rated', maxRate })).toMatchObject({
        type: 'error',
        code: 'protocol-violation',
      });
    },
  );
});

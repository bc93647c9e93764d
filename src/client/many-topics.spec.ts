import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';
import type { LiveClient, Subscription } from './index.js';

const limits = { maxMessageBytes: 65_536, maxTopics: 128, pingIntervalMs: 1e12, maxTopicsPerMessage: 100 };

let world: World;
let client: LiveClient;
beforeEach(async () => {
  world = new World();
  client = await world.client();
  await world.peer.welcome({ limits });
  world.take();
});

const sent = (): unknown[] =>
  world
    .take()
    .filter((entry) => entry.startsWith('> '))
    .map((entry) => JSON.parse(entry.slice(2)) as unknown);
const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}/${String(i)}`);
const subscribeAll = (topics: readonly string[]): Subscription[] =>
  topics.map((topic) => client.subscribe(topic, world.app));
const subscribed = (id: number, topic: string, offset = 0): Record<string, unknown> => ({
  type: 'subscribed',
  id,
  topic,
  epoch: 'e',
  offset,
  recovered: false,
});

describe('many topics', () => {
  it('[L-3.14] a client subscribes to many topics with one message', async () => {
    subscribeAll(['a', 'b', 'c']);
    expect(sent()).toEqual([]);
    await world.settle();
    expect(sent()).toEqual([
      { type: 'subscribe', id: 1, topics: [{ topic: 'a' }, { topic: 'b' }, { topic: 'c' }] },
    ]);
    await world.peer.tell(subscribed(1, 'b'), subscribed(1, 'a'), subscribed(1, 'c'));
    expect(world.take().filter((entry) => entry.startsWith('start'))).toHaveLength(3);
  });

  it('[L-3.14] a client sends a subscribe for a single topic without a list', async () => {
    client.subscribe('a', world.app);
    await world.settle();
    expect(sent()).toEqual([{ type: 'subscribe', id: 1, topic: 'a' }]);
  });

  it('[L-3.14] a client sends one message per topic to a server without list support', async () => {
    client = await world.openClient();
    subscribeAll(['a', 'b']);
    expect(sent()).toEqual([
      { type: 'subscribe', id: 1, topic: 'a' },
      { type: 'subscribe', id: 2, topic: 'b' },
    ]);
  });

  it('[L-3.14] switching between two dashboards of 100 topics takes two messages, unsubscribes first', async () => {
    let open = subscribeAll(names('x', 100));
    await world.settle();
    await world.peer.tell(...names('x', 100).map((topic) => subscribed(1, topic)));
    sent();
    for (let flip = 0; flip < 20; flip += 1) {
      const to = flip % 2 === 0 ? 'y' : 'x';
      open.forEach((subscription) => subscription.unsubscribe());
      open = subscribeAll(names(to, 100));
      await world.settle();
      const messages = sent() as { type: string; id: number; topics: unknown[] }[];
      expect(messages.map(({ type, topics }) => [type, topics.length])).toEqual([
        ['unsubscribe', 100],
        ['subscribe', 100],
      ]);
      const id = messages[1]?.id ?? 0;
      await world.peer.tell(...names(to, 100).map((topic) => subscribed(id, topic)));
      await world.advance(2_000);
    }
  });

  it('[L-3.14] a reconnect subscribes to all topics with one message, each from its own position', async () => {
    subscribeAll(['a', 'b']);
    await world.settle();
    await world.peer.tell(subscribed(1, 'a', 3), subscribed(1, 'b', 4));
    await world.peer.end();
    await world.advance(750);
    sent();
    await world.peer.welcome({ limits });
    const since = (offset: number): object => ({ epoch: 'e', offset });
    expect(sent()).toEqual([
      {
        type: 'subscribe',
        id: 2,
        topics: [
          { topic: 'a', since: since(3) },
          { topic: 'b', since: since(4) },
        ],
      },
    ]);
  });

  it('[L-3.14] a list beyond the limit of topics or bytes is split into several messages', async () => {
    subscribeAll(names('x', 128));
    await world.settle();
    expect((sent() as { topics: unknown[] }[]).map(({ topics }) => topics.length)).toEqual([100, 28]);
    client = await world.client();
    await world.peer.welcome({ limits: { ...limits, maxMessageBytes: 1_000 } });
    sent();
    subscribeAll(names('x'.repeat(100), 6));
    await world.settle();
    const messages = sent();
    expect(messages).toHaveLength(3);
    for (const message of messages) expect(JSON.stringify(message).length).toBeLessThan(1_000);
  });

  it('[L-3.14] a publication is sent after the subscribes made before it', async () => {
    subscribeAll(['a', 'b']);
    void client.publish('a', 1).catch(() => undefined);
    expect((sent() as { type: string }[]).map(({ type }) => type)).toEqual(['subscribe', 'publish']);
  });

  it('[L-3.14] a topic that is unsubscribed before its subscribe is sent is not subscribed', async () => {
    const [, b] = subscribeAll(['a', 'b', 'c']);
    b?.unsubscribe();
    await world.settle();
    expect(sent()).toEqual([
      { type: 'unsubscribe', id: 2, topic: 'b' },
      { type: 'subscribe', id: 1, topics: [{ topic: 'a' }, { topic: 'c' }] },
    ]);
  });

  it('[L-3.14] an error that names a topic affects only that topic', async () => {
    subscribeAll(['a', 'b']);
    await world.settle();
    await world.peer.tell(
      { type: 'error', id: 1, code: 'forbidden', message: 'No', topic: 'a' },
      subscribed(1, 'b'),
    );
    const seen = world.take();
    expect(seen).toContain('end a LiveError: No');
    expect(seen).toContain('start b@e:0');
  });

  it('[L-3.14] an error that names no topic affects all, and they are retried together', async () => {
    subscribeAll(['a', 'b', 'c']);
    await world.settle();
    sent();
    await world.peer.tell({ type: 'error', id: 1, code: 'rate-limited', message: 'Slow', retryAfterMs: 100 });
    await world.advance(850 + 20);
    expect(sent()).toEqual([
      { type: 'subscribe', id: 2, topics: [{ topic: 'a' }, { topic: 'b' }, { topic: 'c' }] },
    ]);
  });

  it('[L-3.14] unsubscribes of many topics that are refused temporarily are retried together', async () => {
    const open = subscribeAll(['a', 'b']);
    await world.settle();
    await world.peer.tell(subscribed(1, 'a'), subscribed(1, 'b'));
    open.forEach((subscription) => subscription.unsubscribe());
    await world.settle();
    expect(sent().at(-1)).toEqual({ type: 'unsubscribe', id: 2, topics: ['a', 'b'] });
    await world.peer.tell({ type: 'error', id: 2, code: 'rate-limited', message: 'Slow' });
    await world.advance(770);
    expect(sent()).toEqual([{ type: 'unsubscribe', id: 3, topics: ['a', 'b'] }]);
    await world.peer.tell(
      { type: 'unsubscribed', id: 3, topic: 'a' },
      { type: 'unsubscribed', id: 3, topic: 'b' },
    );
    await world.advance(60_000);
    expect(sent()).toEqual([]);
  });
});

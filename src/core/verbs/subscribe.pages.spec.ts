import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import { TestSocket } from '../../testing/test-socket.js';
import type { MemoryBroker } from '../../brokers/memory/memory-broker.js';
import { LossyBroker } from '../../../test/support/lossy-broker.js';
import { maxPageBytes } from '../frame/pages.js';
import type { TopicRules } from '../ports/policy.js';

type Message = Readonly<Record<string, unknown>>;

const state = Object.fromEntries(
  Array.from({ length: 3_000 }, (_, n) => [`key-${String(n)}`, 'x'.repeat(60)]),
);
const rules: Readonly<Record<string, Partial<TopicRules>>> = {
  large: { snapshot: () => state },
  list: { snapshot: () => Object.values(state) },
  text: { snapshot: () => 'x'.repeat(100_000) },
  small: { snapshot: () => ({ a: 1 }) },
  keys: { latest: 'last-per-key', delivery: { slow: 'conflate' } },
};

function opened() {
  const test = new TestLive({ rulesFor: (topic) => rules[topic] });
  const socket = new TestSocket(true);
  const peer = test.connect({ socket });
  peer.received();
  const read = async (): Promise<Message[]> => {
    socket.drain();
    await test.clock.settle();
    return peer.received() as Message[];
  };
  return { test, peer, socket, read };
}

const typesOf = (messages: readonly Message[]): unknown[] => messages.map(({ type }) => type);
const subscribe = { type: 'subscribe', pages: true } as const;

describe('6. Snapshots in pages', () => {
  it('[L-6.10] a page is sent when the peer has read what was sent before, and all pages are the snapshot', async () => {
    const { test, peer, socket, read } = opened();
    await peer.send({ ...subscribe, id: 1, topic: 'large' });
    await test.publish('large', 7, 'key-1');
    const messages: Message[] = [];
    for (let turns = 0; turns < 9; turns++) {
      const now = await read();
      expect(now.filter(({ type }) => type === 'page').length).toBeLessThanOrEqual(1);
      expect(socket.bufferedBytes).toBeLessThanOrEqual(maxPageBytes + 400);
      messages.push(...now);
    }
    const pages = messages.filter(({ type }) => type === 'page');
    expect(messages[0]).toMatchObject({ type: 'subscribed', id: 1, offset: 0, pages: true });
    expect(messages.filter(({ type }) => type === 'event')).toHaveLength(1);
    expect(pages.length).toBeGreaterThan(3);
    expect(pages.map(({ last }) => last)).toEqual([...pages.slice(1).map(() => undefined), true]);
    expect(Object.assign({}, ...pages.map(({ snapshot }) => snapshot as object))).toEqual(state);
    for (const page of pages)
      expect(Buffer.byteLength(JSON.stringify(page['snapshot']))).toBeLessThanOrEqual(maxPageBytes);
  });

  it('[L-6.10] an array comes in pages, other values and small ones in the answer', async () => {
    const { peer, read } = opened();
    for (const topic of ['list', 'text', 'small']) await peer.send({ ...subscribe, topic });
    const messages = peer.received() as Message[];
    for (let turns = 0; turns < 9; turns++) messages.push(...(await read()));
    expect(typesOf(messages).filter((type) => type === 'subscribed')).toHaveLength(3);
    const pages = messages.filter(({ type }) => type === 'page');
    expect(new Set(pages.map(({ topic }) => topic))).toEqual(new Set(['list']));
    expect(pages.flatMap(({ snapshot }) => snapshot as unknown[])).toEqual(Object.values(state));
  });

  it('[L-6.10] a client that does not ask for pages gets the snapshot in the answer', async () => {
    const { test } = opened();
    for (const pages of [undefined, false]) {
      const peer = test.connect();
      peer.received();
      await peer.send({ type: 'subscribe', topic: 'large', ...(pages === false && { pages }) });
      const answers = (peer.received() as Message[]).filter(({ type }) => type !== 'incoming');
      expect(answers).toMatchObject([{ type: 'subscribed', snapshot: state }]);
      expect(answers[0]).not.toHaveProperty('pages');
    }
  });

  it('[L-2.6] [L-6.10] any other value of `pages` is a protocol violation', async () => {
    const { peer, read } = opened();
    await peer.send({ type: 'subscribe', topic: 'large', pages: 1 });
    const error = { type: 'error', code: 'protocol-violation', message: '"pages" must be true or false' };
    expect(await read()).toMatchObject([error]);
  });

  it('[L-6.10] the pages stop with the end of the subscription', async () => {
    const { peer, read } = opened();
    await peer.send({ ...subscribe, topic: 'large' });
    expect(typesOf(await read())).toEqual(['subscribed', 'page']);
    await peer.send({ type: 'unsubscribe', topic: 'large' });
    expect(typesOf([...(await read()), ...(await read()), ...(await read())])).toEqual(['unsubscribed']);
  });

  it('[L-6.10] [L-9.20] pages keep to the largest message that the client accepts', async () => {
    const { peer, read } = opened();
    await peer.send({ ...subscribe, topic: 'large', maxMessageBytes: 2_048 });
    const messages = peer.received() as Message[];
    for (let turns = 0; turns < 300; turns++) messages.push(...(await read()));
    expect(messages.at(-1)).toMatchObject({ type: 'page', last: true });
    for (const message of messages)
      expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(2_048);
  });
});

describe('6. Snapshots in pages, after a loss', () => {
  it('[L-5.8] [L-6.10] the rest of the pages is not sent once the subscription starts over', async () => {
    let broker: LossyBroker | undefined;
    const lossy = (memory: MemoryBroker): LossyBroker => (broker = new LossyBroker(memory));
    const test = new TestLive({ broker: lossy, rulesFor: (topic) => rules[topic] });
    for (let n = 0; n < 2_000; n++) await test.publish('keys', 'x'.repeat(100), `k${String(n)}`);
    const socket = new TestSocket(true);
    const peer = test.connect({ socket });
    await peer.send({ ...subscribe, topic: 'keys' });
    const messages = peer.received() as Message[];
    if (broker !== undefined) broker.carries = (_topic, { key }) => key !== 'a';
    await test.publish('keys', 1, 'a');
    await test.publish('keys', 2, 'b');
    for (let turns = 0; turns < 30; turns++) {
      test.clock.advance(500);
      socket.drain();
      await test.clock.settle();
      messages.push(...(peer.received() as Message[]));
    }
    const lost = typesOf(messages).indexOf('lost');
    expect(lost).toBeGreaterThan(0);
    expect(typesOf(messages.slice(lost)).filter((type) => type !== 'incoming')).toEqual([
      'lost',
      'subscribed',
    ]);
  });
});

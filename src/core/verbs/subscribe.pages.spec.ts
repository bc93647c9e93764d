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

  it('[L-6.10] merged events of another topic come between the pages', async () => {
    const { test, peer, read } = opened();
    await peer.send({ ...subscribe, topic: 'keys' });
    await read();
    await peer.send({ ...subscribe, topic: 'large' });
    await test.publish('keys', 1, 'a');
    const messages: Message[] = [];
    for (let turns = 0; turns < 9; turns++) messages.push(...(await read()));
    expect(typesOf(messages).indexOf('event')).toBeLessThan(typesOf(messages).lastIndexOf('page'));
    expect(messages.filter(({ type }) => type === 'event')).toHaveLength(1);
  });

  it('[L-8.6] pages accepted by the system extend the pong timeout until a pong confirms them', async () => {
    const { test, peer, socket, read } = opened();
    const silentFor = async (): Promise<number> => {
      for (let seconds = 1; seconds <= 100; seconds++) {
        test.clock.advance(1_000);
        await read();
        if (socket.terminated) return seconds;
      }
      return Infinity;
    };
    await peer.send({ ...subscribe, topic: 'large' });
    for (let turns = 0; turns < 9; turns++) await read();
    test.clock.advance(1_000);
    expect(socket.pings).toBe(1);
    const bytes = Buffer.byteLength(JSON.stringify(state));
    const allowedMs = 10_000 + bytes / 16.384;
    const seconds = await silentFor();
    expect(Math.abs(seconds * 1_000 - allowedMs)).toBeLessThan(2_000);
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

/** A peer that is subscribed to `keys`, which has 2,000 of them, and that reads slowly. */
async function lossy(request: object = {}) {
  let broker: LossyBroker | undefined;
  const test = new TestLive({
    broker: (memory: MemoryBroker) => (broker = new LossyBroker(memory)),
    rulesFor: (topic) => rules[topic],
  });
  for (let n = 0; n < 2_000; n++) await test.publish('keys', 'x'.repeat(100), `k${String(n)}`);
  const socket = new TestSocket(true);
  const peer = test.connect({ socket });
  const read = async (turns: number): Promise<Message[]> => {
    for (let turn = 0; turn < turns; turn++) {
      test.clock.advance(500);
      peer.session.heard();
      socket.drain();
      await test.clock.settle();
    }
    return (peer.received() as Message[]).filter(({ type }) => type !== 'incoming');
  };
  /** The server misses the publication of the key `a`. */
  const lose = async (): Promise<void> => {
    if (broker !== undefined) broker.carries = (_topic, { key }) => key !== 'a';
    await test.publish('keys', 1, 'a');
    await test.publish('keys', 2, 'b');
  };
  await peer.send({ ...subscribe, topic: 'keys', ...request });
  return { test, socket, peer, read, lose };
}

const isPage = ({ type }: Message): boolean => type === 'page';
const contentOf = (messages: readonly Message[]): object =>
  Object.assign({}, ...messages.filter(isPage).map(({ snapshot }) => snapshot as object)) as object;

describe('6. Snapshots in pages, after a loss', () => {
  it('[L-5.7] [L-6.10] the state after a loss comes in pages, each sent as the peer reads, and events between them', async () => {
    const { test, socket, read, lose } = await lossy();
    await read(30);
    await lose();
    const messages = await read(2);
    await test.publish('keys', 3, 'c');
    for (let turns = 0; turns < 9; turns++) {
      const now = await read(1);
      expect(now.filter(isPage).length).toBeLessThanOrEqual(1);
      expect(socket.bufferedBytes).toBeLessThanOrEqual(maxPageBytes + 400);
      messages.push(...now);
    }
    const pages = messages.filter(isPage);
    expect(typesOf(messages.slice(0, 2))).toEqual(['lost', 'subscribed']);
    expect(messages[1]).toMatchObject({ offset: 2_002, recovered: false, pages: true });
    expect(messages[1]).not.toHaveProperty('snapshot');
    expect(pages.map(({ last }) => last)).toEqual([...pages.slice(1).map(() => undefined), true]);
    expect(pages.length).toBeGreaterThan(3);
    expect(Object.keys(contentOf(messages))).toHaveLength(2_002);
    expect(messages.filter(({ type }) => type === 'event')).toMatchObject([{ offset: 2_003, key: 'c' }]);
  });

  it('[L-5.8] [L-6.10] the rest of the pages is not sent once the subscription starts over', async () => {
    const { read, lose } = await lossy();
    await lose();
    const messages = await read(30);
    const lost = typesOf(messages).indexOf('lost');
    expect(lost).toBeGreaterThan(0);
    const [, start, ...pages] = messages.slice(lost);
    expect(start).toMatchObject({ type: 'subscribed', pages: true });
    expect(pages.findIndex(({ last }) => last === true)).toBe(pages.length - 1);
    expect(Object.keys(contentOf(pages))).toHaveLength(2_002);
  });

  it('[L-5.7] a client that did not ask for pages gets the state after a loss in one message', async () => {
    const { read, lose } = await lossy({ pages: false });
    await read(30);
    await lose();
    const messages = await read(30);
    expect(typesOf(messages)).toEqual(['lost', 'subscribed']);
    expect(Object.keys(messages[1]?.['snapshot'] as object)).toHaveLength(2_002);
  });

  it('[L-6.10] [L-9.20] a client that accepts no page of the state after a loss is closed', async () => {
    const { test, socket, read, lose } = await lossy({ maxMessageBytes: 2_048 });
    await read(300);
    await test.publish('keys', 'x'.repeat(4_000), 'large');
    await read(2);
    await lose();
    await read(2);
    expect(socket.closedWith).toEqual({ code: 4003, reason: 'position lost' });
  });

  it('[L-6.10] the pages after a loss stop with the end of the subscription', async () => {
    const { peer, read, lose } = await lossy();
    await read(30);
    await lose();
    expect(typesOf(await read(3))).toContain('page');
    await peer.send({ type: 'unsubscribe', topic: 'keys' });
    expect(typesOf(await read(9))).toEqual(['unsubscribed']);
  });
});

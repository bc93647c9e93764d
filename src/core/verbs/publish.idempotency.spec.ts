import { describe, expect, it } from 'vitest';
import { TestLive, type TestLiveOptions } from '../../testing/test-live.js';

const publish = (id: number, more: object = {}) => ({ type: 'publish', id, topic: 'a', data: id, ...more });

/** A world with a subscriber, and what it has received. */
async function watched(options: TestLiveOptions = {}) {
  const world = new TestLive(options);
  const reader = world.connect();
  await reader.send({ type: 'subscribe', topic: 'a' });
  reader.received();
  const seen = (): unknown[] =>
    reader
      .received()
      .map((message) => message as { type: string; data: unknown })
      .filter(({ type }) => type === 'event')
      .map(({ data }) => data);
  return { world, seen };
}

describe('publish with an idempotency key', () => {
  it('[L-4.15] a repeated publish is answered with the position of the first, also on another connection', async () => {
    const { world, seen } = await watched();
    const first = world.connect();
    await first.send(publish(1, { idempotencyKey: 'k' }));
    const second = world.connect();
    await second.send(publish(2, { idempotencyKey: 'other' }));
    await second.send(publish(3, { idempotencyKey: 'k' }));
    const [answer] = first.received() as { epoch: string }[];
    expect(answer).toMatchObject({ type: 'published', offset: 1 });
    expect(second.received()).toMatchObject([
      { type: 'published', id: 2, offset: 2 },
      { type: 'published', id: 3, offset: 1, epoch: answer?.epoch },
    ]);
    expect(seen()).toEqual([1, 2]);
  });

  it('[L-4.15] users do not share their keys, and a key belongs to its topic', async () => {
    const { world, seen } = await watched();
    for (const user of [{ id: 'ann' }, { id: 'bob' }, null])
      await world.connect({ user }).send(publish(1, { idempotencyKey: 'k' }));
    for (const user of [{ id: 'bob' }, null])
      await world.connect({ user }).send(publish(2, { idempotencyKey: 'k' }));
    await world.connect().send({ ...publish(3, { idempotencyKey: 'k' }), topic: 'b' });
    expect(seen()).toEqual([1, 1, 1]);
  });

  it('[L-4.15] the key is forgotten five minutes later', async () => {
    const world = new TestLive();
    const offsets: unknown[] = [];
    for (const waitMs of [0, 299_000, 2_000]) {
      await world.clock.advance(waitMs);
      const peer = world.connect();
      await peer.send(publish(1, { idempotencyKey: 'k' }));
      offsets.push((peer.received() as { offset: number }[])[0]?.offset);
    }
    expect(offsets).toEqual([1, 1, 2]);
  });

  it.each(['', 7, 'x'.repeat(129)])(
    '[L-4.15] the idempotency key %j is a violation',
    async (idempotencyKey) => {
      const peer = new TestLive().connect();
      await peer.send(publish(1, { idempotencyKey }));
      expect(peer.received()).toMatchObject([
        { code: 'protocol-violation', message: expect.stringContaining('"idempotencyKey"') as string },
      ]);
    },
  );

  it('[L-4.15] the welcome tells how long keys are remembered', () => {
    const [welcome] = new TestLive().connect().socket.messages;
    expect(welcome).toMatchObject({ limits: { idempotencyMs: 300_000 } });
  });
});

describe('publish after another one', () => {
  it('[L-4.16] a publish after a refused one is refused, too, until that one was sent again', async () => {
    const rate = { messagesPerSecond: 1, messageBurst: 2, bytesPerSecond: 1e6, byteBurst: 1e6 };
    const { world, seen } = await watched({ limits: { inboundRate: rate } });
    const peer = world.connect();
    // The third is too soon, and the next comes when there is room again.
    for (const id of [1, 2, 3]) await peer.send(publish(id, id > 1 ? { after: id - 1 } : {}));
    await world.clock.advance(3_000);
    await peer.send(publish(4, { after: 3 }));
    await peer.send(publish(5, { after: 4 }));
    expect(peer.received()).toMatchObject([
      { type: 'published', id: 1 },
      { type: 'published', id: 2 },
      { code: 'rate-limited', id: 3 },
      { code: 'unavailable', id: 4 },
      { code: 'unavailable', id: 5 },
    ]);
    await world.clock.advance(3_000);
    await peer.send(publish(6, { data: 3 }));
    await peer.send(publish(7, { data: 4, after: 6 }));
    expect(peer.received()).toMatchObject([{ type: 'published' }, { type: 'published' }]);
    expect(seen()).toEqual([1, 2, 3, 4]);
  });

  it('[L-4.16] a publish after one that was refused for good is published', async () => {
    const { world, seen } = await watched();
    const peer = world.connect();
    await peer.send({ type: 'publish', id: 1, topic: 'a' });
    await peer.send(publish(2, { after: 1 }));
    expect(peer.received()).toMatchObject([{ code: 'protocol-violation' }, { type: 'published' }]);
    expect(seen()).toEqual([2]);
  });

  it('[L-4.16] a hundred refused publishes are remembered', async () => {
    let isAway = true;
    const { world } = await watched({
      broker: (memory) => Object.defineProperty(memory, 'available', { get: () => !isAway }),
    });
    const peer = world.connect();
    for (let id = 1; id <= 101; id += 1) await peer.send(publish(id));
    isAway = false;
    peer.received();
    await peer.send(publish(201, { after: 1 }));
    await peer.send(publish(202, { after: 2 }));
    expect(peer.received()).toMatchObject([{ type: 'published' }, { code: 'unavailable' }]);
  });
});

import { describe, expect, it } from 'vitest';
import { TestLive, type TestPeer } from '../../testing/test-live.js';
import { TestSocket } from '../../testing/test-socket.js';

const KiB = 1024;

/**
 * A slow peer that has requested a snapshot of this size. Its kernel accepts one fragment at a
 * time.
 */
async function slowReader(bytes: number) {
  const test = new TestLive({
    limits: {
      pingIntervalMs: 25_000,
      pongTimeoutMs: 10_000,
      maxQueueAgeMs: 10_000,
      positionCheckIntervalMs: 0,
      authorizationRecheckMs: 0,
    },
    rulesFor: () => ({ snapshot: () => 'x'.repeat(bytes) }),
  });
  const socket = new TestSocket(true);
  const peer = test.connect({ socket });
  socket.drain();
  await peer.send({ type: 'subscribe', id: 1, topic: 't' });
  // Drains the announcement and what followed it at once.
  socket.drain();
  return { test, socket, peer };
}

/** Lets a second pass, in which something else is published. */
async function second({ test }: { test: TestLive }): Promise<void> {
  test.clock.advance(1_000);
  await test.publish('t', 'event');
  await test.clock.settle();
}

function types({ received }: TestPeer): unknown[] {
  return received().map((message) => (message as { type: string }).type);
}

describe('A large answer', () => {
  it('[L-8.6] a large answer to a peer that reads 20 KiB a second arrives complete, and later publications follow', async () => {
    const world = await slowReader(3 * 1_024 * KiB);
    const { socket, peer } = world;
    let pings = socket.pings;
    for (let passed = 1; passed <= 170; passed++) {
      await second(world);
      if (passed % 3 !== 0) continue;
      socket.drain();
      // A pong arrives once everything sent before its ping has been read.
      if (socket.pings > pings) peer.session.heard();
      ({ pings } = socket);
    }
    expect(socket.closedWith).toBeUndefined();
    const came = types(peer);
    expect(came.slice(0, 2)).toEqual(['incoming', 'subscribed']);
    expect(new Set(came.slice(2))).toEqual(new Set(['event']));
    expect(pings).toBeGreaterThan(20);
  });

  it('[L-8.6] a peer that does not read a large answer is closed after 10 s plus a second per 16 KiB sent', async () => {
    const world = await slowReader(3 * 1_024 * KiB);
    const { socket } = world;
    // Two fragments of 64 KiB are in flight.
    let seconds = 0;
    for (; socket.closedWith === undefined && !socket.terminated && seconds < 100; seconds++)
      await second(world);
    expect(seconds).toBeGreaterThan(15);
    expect(seconds).toBeLessThanOrEqual(10 + 8 + 3);
  });

  it('[L-8.6] a large answer accepted by the system extends the pong timeout until a pong confirms it', async () => {
    const world = await slowReader(320 * KiB);
    const { socket, peer, test } = world;
    const silentFor = async (): Promise<number> => {
      for (let seconds = 1; seconds <= 100; seconds++) {
        await second(world);
        socket.drain();
        if (socket.terminated || socket.closedWith !== undefined) return seconds;
      }
      return Infinity;
    };
    for (let i = 0; i < 6; i++) socket.drain();
    test.clock.advance(1_000);
    expect(socket.pings).toBe(1);
    test.clock.advance(25_000);
    expect(socket.terminated).toBe(false);
    peer.session.heard();
    // The next ping is due at once.
    expect(await silentFor()).toBeLessThanOrEqual(25 + 10 + 1);
    expect(socket.terminated).toBe(true);
  });

  it('[L-9.2] small messages behind a large answer count toward the threshold, but the answer does not', async () => {
    const world = await slowReader(3 * 1_024 * KiB);
    const { socket, test } = world;
    const event = 'x'.repeat(100 * KiB);
    for (let i = 0; i < 9; i++) await test.publish('t', event);
    expect(socket.closedWith).toBeUndefined();
    for (let i = 0; i < 2; i++) await test.publish('t', event);
    expect(socket.closedWith).toEqual({ code: 1008, reason: 'back-pressure threshold exceeded' });
  });
});

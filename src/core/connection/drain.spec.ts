import { describe, expect, it } from 'vitest';
import type { DrainingMessage, ServerMessage } from '../../protocol/messages.js';
import { drainProgress } from '../../../test/support/drain-progress.js';
import { TestLive } from '../../testing/test-live.js';
import { TestSocket } from '../../testing/test-socket.js';

describe('Drain', () => {
  it('[L-10.1] a drain closes every connection with 1001 after its queued messages, and ends when all are gone', async () => {
    const test = new TestLive();
    const peers = Array.from({ length: 600 }, () => test.connect());
    const [first] = peers;
    first?.session.connection.send({ type: 'last words' });
    const drained = test.live.drain(20_000);
    test.clock.flush();
    expect(await drained).toEqual(drainProgress({ connections: 600, closed: 600 }));
    expect(new Set(peers.map(({ socket }) => JSON.stringify(socket.closedWith)))).toEqual(
      new Set(['{"code":1001,"reason":"server shutting down"}']),
    );
    expect(first?.received()).toEqual([{ type: 'last words' }]);
    expect(test.clock.timerCount).toBe(1);
  });

  it('[L-10.2] a drain terminates connections that have not closed at the deadline, and not before', async () => {
    const test = new TestLive();
    const polite = test.connect();
    const stubborn = test.connect({ socket: new TestSocket(false, false) });
    const drained = test.live.drain(20_000);
    test.clock.advance(19_999);
    expect([polite.socket.open, stubborn.socket.terminated]).toEqual([false, false]);
    test.clock.advance(1);
    expect(stubborn.socket.terminated).toBe(true);
    expect(await drained).toEqual(drainProgress({ connections: 2, closed: 2, terminated: 1 }));
    expect(test.live.registry.size).toBe(0);
  });

  it('[L-10.2] a drain ends at its deadline although a connection never reports its end or cannot be closed', async () => {
    const test = new TestLive();
    class Undead extends TestSocket {
      override close(): void {
        throw new Error('cannot be closed');
      }
      override terminate(): void {
        this.terminated = true;
        throw new Error('cannot be terminated');
      }
    }
    const undead = [1, 2].map(() => test.connect({ socket: new Undead(false, false) }));
    const polite = test.connect();
    const drained = test.live.drain(20_000);
    expect(polite.socket.open).toBe(false);
    test.clock.advance(20_000);
    expect(undead.map(({ socket }) => socket.terminated)).toEqual([true, true]);
    test.clock.advance(250);
    expect(await drained).toEqual(drainProgress({ connections: 3, closed: 3, terminated: 2, remaining: 2 }));
  });

  it('[L-10.1] a drain without connections ends at once, and closes one that connects afterwards', async () => {
    const test = new TestLive();
    expect(await test.live.drain(20_000)).toEqual(drainProgress());
    expect(test.connect().socket.closedWith).toEqual({ code: 1001, reason: 'server shutting down' });
  });

  it('[L-10.6] each of many connections gets a slot of its own, and is closed 1.5 s after its end', async () => {
    const test = new TestLive();
    const peers = Array.from({ length: 2_000 }, () => test.connect());
    const closedAtMs = peers.map(() => 0);
    const drained = test.live.drain(20_000, { windowMs: 10_000 });
    for (let ms = 0; ms < 12_000; ms += 10) {
      test.clock.flush();
      test.clock.advance(10);
      for (const [i, { socket }] of peers.entries())
        if (socket.closedWith !== undefined) closedAtMs[i] ||= ms + 10;
    }
    expect(await drained).toEqual(drainProgress({ connections: 2_000, slots: 2_000, closed: 2_000 }));
    const slots = peers.map((peer) => peer.received()[0] as DrainingMessage);
    expect(slots[0]).toEqual({ type: 'draining', reconnectAfterMs: 0, windowMs: 250 });
    expect(slots[1_000]).toEqual({ type: 'draining', reconnectAfterMs: 5_000, windowMs: 250 });
    for (const [i, slot] of slots.entries()) {
      const endMs = slot.reconnectAfterMs + slot.windowMs + 1_500;
      expect(Math.abs((closedAtMs[i] ?? 0) - endMs)).toBeLessThanOrEqual(10);
    }
    // The rest of 2 s is for the shutdown of the application.
    expect(closedAtMs.at(-1)).toBeLessThanOrEqual((slots.at(-1)?.reconnectAfterMs ?? 0) + 1_760);
    const perSecond = Array.from({ length: 12 }, () => 0);
    for (const atMs of closedAtMs) perSecond[Math.ceil(atMs / 1_000) - 1]! += 1;
    expect(perSecond.slice(0, 2)).toEqual([0, 51]);
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(1.15 * 200);
  });

  it('[L-10.6] a connection that leaves in its slot is not closed, and publications reach it until then', async () => {
    const test = new TestLive();
    const peers = Array.from({ length: 400 }, () => test.connect());
    const last = peers.at(-1);
    await last?.send({ type: 'subscribe', id: 1, topic: 'a' });
    last?.received();
    const drained = test.live.drain(20_000, { windowMs: 10_000 });
    test.clock.flush();
    test.clock.advance(3_000);
    expect(test.live.stats().drain).toEqual(
      drainProgress({ connections: 400, slots: 400, closed: 251, remaining: 149 }),
    );
    await test.live.publish('a', 1);
    test.clock.flush();
    const heard = (last?.received() ?? []) as ServerMessage[];
    expect(heard.map(({ type }) => type)).toEqual(['draining', 'event']);
    last?.session.finished(1000, 'draining');
    test.clock.advance(1_000);
    expect(await drained).toEqual(drainProgress({ connections: 400, slots: 400, left: 1, closed: 399 }));
    expect(last?.socket.closedWith).toBeUndefined();
  });

  it('[L-10.6] a handful of connections is closed at once, and the window ends before the deadline', async () => {
    const few = new TestLive();
    const peers = Array.from({ length: 19 }, () => few.connect());
    expect(await few.live.drain(20_000, { windowMs: 10_000 })).toEqual(
      drainProgress({ connections: 19, closed: 19 }),
    );
    expect(peers[0]?.received()).toEqual([]);
    const hurried = new TestLive();
    for (let i = 0; i < 2_000; i++) hurried.connect();
    const drained = hurried.live.drain(4_000, { windowMs: 10_000 });
    hurried.clock.flush();
    hurried.clock.advance(3_000);
    hurried.clock.flush();
    expect(await drained).toEqual(drainProgress({ connections: 2_000, slots: 2_000, closed: 2_000 }));
  });
});

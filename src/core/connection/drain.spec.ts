import { describe, expect, it } from 'vitest';
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
    expect(await drained).toEqual({ connections: 600, terminated: 0 });
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
    expect(await drained).toEqual({ connections: 2, terminated: 1 });
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
    expect(await drained).toEqual({ connections: 3, terminated: 2 });
  });

  it('[L-10.1] a drain without connections ends at once, and closes one that connects afterwards', async () => {
    const test = new TestLive();
    expect(await test.live.drain(20_000)).toEqual({ connections: 0, terminated: 0 });
    expect(test.connect().socket.closedWith).toEqual({ code: 1001, reason: 'server shutting down' });
  });
});

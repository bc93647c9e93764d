import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { TestLive } from '../../testing/test-live.js';
import type { TestSocket } from '../../testing/test-socket.js';

const limits = { pingIntervalMs: 25_000, pongTimeoutMs: 10_000 };

describe('Heartbeat', () => {
  it('[L-8.1] the heartbeat pings every interval, first after a random part of it, with one timer for all', () => {
    const chances = [0.1, 0.5, 0.9];
    const clock = new TestClock(0, () => chances.shift() ?? 0);
    const { connect } = bound(new TestLive({ limits, clock }));
    const timers = clock.timerCount;
    const peers = [connect(), connect(), connect()];
    expect(clock.timerCount).toBe(timers);
    const pings = (): number[] => peers.map(({ socket }) => socket.pings);
    const alive = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 1_000) {
        clock.advance(1_000);
        for (const { session } of peers) session.heard();
      }
    };
    alive(4_000);
    expect(pings()).toEqual([1, 0, 0]);
    alive(10_000);
    expect(pings()).toEqual([1, 1, 0]);
    alive(10_000);
    expect(pings()).toEqual([1, 1, 1]);
    alive(25_000);
    expect(pings()).toEqual([2, 2, 2]);
  });

  it('[L-8.2] a peer that is silent for the pong timeout after a ping is terminated, and not before', () => {
    const { connect, clock } = bound(new TestLive({ limits }));
    const { socket } = connect();
    clock.advance(13_000);
    expect(socket.pings).toBe(1);
    clock.advance(9_000);
    expect(socket.terminated).toBe(false);
    clock.advance(2_000);
    expect(socket.terminated).toBe(true);
  });

  it('[L-8.3] any frame counts as a sign of life', async () => {
    const { connect, clock } = bound(new TestLive({ limits }));
    const [silent, talking] = [connect(), connect()];
    clock.advance(15_000);
    await talking.send({ type: 'ping' });
    clock.advance(9_000);
    expect([silent.socket.terminated, talking.socket.terminated]).toEqual([true, false]);
  });

  it('[L-9.5] a peer that sends but does not read is closed, because its pong is as late as its unread data', async () => {
    const { connect, clock } = bound(new TestLive({ limits: { ...limits, maxQueueAgeMs: 15_000 } }));
    const [talking, reading] = [connect(), connect()];
    const after = async (seconds: number): Promise<unknown> => {
      for (let passed = 0; passed < seconds; passed++) {
        clock.advance(1_000);
        reading.session.heard();
        await talking.send({ type: 'ping' });
      }
      return [talking.socket, reading.socket].map(({ closedWith }) => closedWith?.reason);
    };
    expect(await after(13)).toEqual([undefined, undefined]);
    expect(await after(14)).toEqual([undefined, undefined]);
    expect(await after(2)).toEqual(['back-pressure threshold exceeded', undefined]);
    expect(talking.socket.terminated).toBe(false);
  });

  it('[L-8.2] time in which the process was suspended does not count', () => {
    const { connect, clock } = bound(new TestLive({ limits }));
    const peers = Array.from({ length: 10 }, connect);
    clock.advance(13_000);
    clock.stall(30_000);
    expect(terminated(peers)).toBe(0);
    for (const { session } of peers) session.heard();
    clock.advance(10_000);
    expect(terminated(peers)).toBe(0);
  });

  it('[L-8.2] dead peers are still detected after the process was suspended', () => {
    const { connect, clock } = bound(new TestLive({ limits }));
    const dead = connect();
    clock.advance(13_000);
    clock.stall(30_000);
    clock.advance(12_000);
    expect(dead.socket.terminated).toBe(true);
  });

  it('a peer whose reading is paused is spared, because its pong waits behind its messages', async () => {
    const { connect, clock } = bound(
      new TestLive({
        limits: { ...limits, maxWaitingMessages: 1 },
        handlers: () => () => new Promise(() => {}),
      }),
    );
    const { socket, send } = connect();
    for (let i = 0; i < 3; i++) await send({ type: 'stuck' });
    expect(socket.paused).toBe(true);
    clock.advance(120_000);
    expect(socket.terminated).toBe(false);
  });
});

function bound(test: TestLive) {
  return { clock: test.clock, connect: () => test.connect() };
}

function terminated(peers: readonly { readonly socket: TestSocket }[]): number {
  return peers.filter(({ socket }) => socket.terminated).length;
}

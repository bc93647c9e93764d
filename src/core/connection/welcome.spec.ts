import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import { reconnectSpreadMs } from './welcome.js';

describe('welcome', () => {
  it('[L-1.11] the welcome tells how much time the credential has left', () => {
    const test = new TestLive();
    const expiresAt = test.clock.wallMs() + 90_000;
    expect(test.connect({ expiresAt }).socket.messages[0]).toMatchObject({ expiresAt, expiresInMs: 90_000 });
    const late = test.connect({ expiresAt: test.clock.wallMs() - 1 });
    expect(late.socket.messages[0]).toMatchObject({ expiresInMs: 0 });
  });

  it('[L-9.3] the welcome names the limits by which a client sets its timeouts', () => {
    const [welcome] = new TestLive().connect().socket.messages;
    expect(welcome).toMatchObject({
      limits: {
        maxTopicsPerMessage: 128,
        pingIntervalMs: expect.any(Number) as number,
        pongTimeoutMs: expect.any(Number) as number,
        answerTimeoutMs: expect.any(Number) as number,
      },
    });
  });

  it.each([
    [1, 1_000],
    [100, 3_000],
    [1_000, 9_487],
    [10_000, 30_000],
    [1_000_000, 30_000],
  ])('[L-10.5] an instance with %i connections spreads their return over %i ms', (connections, ms) => {
    expect(reconnectSpreadMs(connections)).toBe(ms);
  });

  it('[L-10.5] clients that connected one after the other return with less than a quarter of them in any second', () => {
    const clients = 1_000;
    const buckets = new Map<number, number>();
    for (let i = 1; i <= clients; i++) {
      // Each knows the number of connections at its arrival and returns uniformly within its
      // spread.
      const second = Math.floor((reconnectSpreadMs(i) * ((i * 0.618_034) % 1)) / 1_000);
      buckets.set(second, (buckets.get(second) ?? 0) + 1);
    }
    expect(Math.max(...buckets.values())).toBeLessThan(clients / 4);
  });
});

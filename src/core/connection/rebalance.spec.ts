import { describe, expect, it } from 'vitest';
import type { DrainingMessage } from '../../protocol/messages.js';
import { TestLive } from '../../testing/test-live.js';
import type { RebalanceOptions } from './rebalance.js';

function connected(count: number) {
  const test = new TestLive();
  const peers = Array.from({ length: count }, () => test.connect());
  const slots = () => peers.map((peer) => peer.received()[0] as DrainingMessage | undefined);
  return { test, peers, slots };
}

describe('Rebalance', () => {
  it('[L-10.9] a share of the connections gets slots, evenly over the window and over the age of the connections', async () => {
    const { test, slots } = connected(1_000);
    const done = test.live.rebalance({ share: 0.4, windowMs: 1_000 });
    test.clock.flush();
    const given = slots();
    const asked = given.filter((slot) => slot !== undefined);
    expect(asked).toHaveLength(400);
    for (let i = 0; i < 10; i++)
      expect(given.slice(i * 100, (i + 1) * 100).filter((slot) => slot !== undefined)).toHaveLength(40);
    expect(asked.map(({ reconnectAfterMs }) => reconnectAfterMs)).toEqual(
      asked.map((_, i) => Math.round(i * 2.5)),
    );
    expect(new Set(asked.map(({ windowMs }) => windowMs))).toEqual(new Set([250]));
    test.clock.advance(2_750);
    expect(await done).toEqual({ connections: 1_000, asked: 400, left: 0 });
  });

  it('[L-10.9] a rebalance closes no connection, and counts those that have left 1.5 s after the last slot', async () => {
    const { test, peers } = connected(10);
    let isDone = false;
    const done = test.live.rebalance({ share: 1 }).finally(() => (isDone = true));
    for (const { session } of peers.slice(0, 4)) session.finished(1000, 'draining');
    test.clock.advance(1_499);
    await Promise.resolve();
    expect(isDone).toBe(false);
    test.clock.advance(1);
    expect(await done).toEqual({ connections: 10, asked: 10, left: 4 });
    expect(peers.map(({ socket }) => socket.closedWith)).toEqual(peers.map(() => undefined));
    expect(test.live.registry.size).toBe(6);
  });

  it('[L-10.9] new connections are accepted during a rebalance', async () => {
    const { test } = connected(4);
    const done = test.live.rebalance({ share: 0.5 });
    const late = test.connect();
    test.clock.advance(2_000);
    expect([late.socket.open, late.received(), await done]).toEqual([
      true,
      [],
      { connections: 4, asked: 2, left: 0 },
    ]);
  });

  it('[L-10.9] a rebalance of an instance without connections ends at once', async () => {
    const { test } = connected(0);
    expect(await test.live.rebalance({ share: 1 })).toEqual({ connections: 0, asked: 0, left: 0 });
  });

  it.each<RebalanceOptions>([
    { share: 0 },
    { share: -0.1 },
    { share: 1.01 },
    { share: NaN },
    { share: '1' as unknown as number },
    { share: 1, windowMs: -1 },
    { share: 1, windowMs: NaN },
    { share: 1, windowMs: 3_600_001 },
    { share: 1, windowMs: '5' as unknown as number },
  ])('[L-10.9] the options %j are refused, and nothing is sent', async (options) => {
    const { test, slots } = connected(2);
    await expect(test.live.rebalance(options)).rejects.toMatchObject({ code: 'validation-failed' });
    test.clock.flush();
    expect(slots()).toEqual([undefined, undefined]);
  });

  it('[L-10.9] only one rebalance at a time is accepted', async () => {
    const { test } = connected(2);
    const first = test.live.rebalance({ share: 1 });
    await expect(test.live.rebalance({ share: 1 })).rejects.toMatchObject({ code: 'unavailable' });
    test.clock.advance(2_000);
    await first;
    const second = test.live.rebalance({ share: 1 });
    test.clock.advance(2_000);
    expect(await second).toMatchObject({ asked: 2 });
  });

  it('[L-10.9] a drain ends a rebalance, and refuses another one', async () => {
    const { test } = connected(2_000);
    const rebalanced = test.live.rebalance({ share: 1 });
    const drained = test.live.drain(20_000);
    expect(await rebalanced).toMatchObject({ connections: 2_000, left: 0 });
    await expect(test.live.rebalance({ share: 1 })).rejects.toMatchObject({ code: 'unavailable' });
    test.clock.flush();
    expect(await drained).toMatchObject({ connections: 2_000, closed: 2_000 });
    expect(test.clock.timerCount).toBe(1);
  });
});

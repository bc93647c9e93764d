import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';

const limits = {
  maxMessageBytes: 65_536,
  maxTopics: 128,
  pingIntervalMs: 25_000,
  pongTimeoutMs: 10_000,
} as const;

let world: World;
beforeEach(async () => {
  world = new World();
  await world.client();
  await world.peer.welcome({ limits });
  world.take();
});

const event = { type: 'event', topic: 'a', offset: 1, data: 1 };
const sent = (): string[] => world.take().filter((entry) => !entry.startsWith('<'));

describe('silence', () => {
  it('[L-8.4] a client that has received nothing for the ping interval sends one ping', async () => {
    await world.advance(24_999);
    expect(sent()).toEqual([]);
    await world.advance(1);
    expect(sent()).toEqual(['> {"type":"ping","id":1}']);
    await world.advance(9_999);
    await world.peer.tell({ type: 'pong', id: 1 });
    await world.advance(24_999);
    expect(sent()).toEqual([]);
    await world.advance(1);
    expect(sent()).toEqual(['> {"type":"ping","id":2}']);
  });

  it('[L-8.4] a half-open link is noticed after 35 s with the default limits', async () => {
    const start = world.nowMs;
    await world.advance(34_999);
    expect(sent()).toEqual(['> {"type":"ping","id":1}']);
    await world.advance(1);
    expect(sent()).toEqual([
      'close 1000 no answer to a ping',
      'status waiting 750 after 1006 no answer to a ping',
    ]);
    expect(world.nowMs - start).toBeLessThanOrEqual(36_000);
  });

  it('[L-8.4] a client sends nothing while messages come', async () => {
    for (let second = 0; second < 600; second += 20) {
      await world.advance(20_000);
      await world.peer.tell(event);
    }
    expect(sent()).toEqual([]);
  });

  it('[L-8.4] any message after a ping keeps the link, even if the pong is queued behind it', async () => {
    await world.advance(25_000);
    for (let message = 0; message < 5; message += 1) {
      await world.advance(9_000);
      await world.peer.tell(event);
    }
    expect(sent()).toEqual(['> {"type":"ping","id":1}']);
    await world.advance(10_000);
    expect(sent()).toContain('close 1000 no answer to a ping');
  });

  it('[L-8.4] a client of a server that names no limits uses the defaults', async () => {
    await world.client();
    await world.peer.welcome({ limits: {} as never });
    world.take();
    await world.advance(35_000);
    expect(sent().filter((entry) => entry.startsWith('close'))).toHaveLength(2);
  });

  it('[L-8.4] a link is checked at once after the machine slept', async () => {
    await world.advance(10_000);
    await world.sleep(3_600_000);
    expect(sent()).toEqual(['> {"type":"ping","id":1}']);
  });

  it('[L-8.4] an answer that was held back while the machine slept still counts', async () => {
    await world.advance(25_000);
    await world.sleep(3_600_000);
    await world.peer.tell({ type: 'pong', id: 1 });
    expect(sent()).toEqual(['> {"type":"ping","id":1}']);
  });

  it('[L-8.4] a hidden page with timers a minute late still detects a dead link', async () => {
    for (let minute = 0; minute < 4; minute += 1) await world.sleep(60_000);
    expect(sent()).toContain('close 1000 no answer to a ping');
  });

  it('[L-8.5] an announced message extends the time limit in proportion to its bytes', async () => {
    // 10 MB at 1 Mbit/s. A browser shows nothing of it until it is complete.
    await world.peer.tell({ type: 'incoming', bytes: 10_000_000 });
    await world.advance(80_000);
    await world.peer.tell({ ...event, type: 'subscribed' }, { type: 'pong', id: 1 });
    expect(sent().filter((entry) => entry.startsWith('close'))).toEqual([]);
    // The message is complete, so silence counts again.
    await world.advance(35_000);
    expect(sent()).toContain('close 1000 no answer to a ping');
  });

  it('[L-8.5] a link that dies during an announced message is dropped after the extended limit', async () => {
    await world.peer.tell({ type: 'incoming', bytes: 1_000_000 });
    await world.advance(25_000 + 10_000 + 62_000);
    expect(sent()).toContain('close 1000 no answer to a ping');
  });

  it('[L-8.4] a slow link gets more time after each drop, until a ping is answered', async () => {
    const lived: number[] = [];
    for (let cut = 0; cut < 6; cut += 1) {
      const openedAt = world.nowMs;
      while (!world.peer.closed) await world.advance(1_000);
      lived.push(world.nowMs - openedAt);
      await world.advance(1_000);
      await world.peer.welcome({ limits });
    }
    expect(lived).toEqual([35_000, 45_000, 65_000, 105_000, 105_000, 105_000]);
    world.take();
    await world.advance(25_000);
    const id = Number(/"id":(\d+)/.exec(sent()[0] ?? '')?.[1]);
    await world.peer.tell({ type: 'pong', id });
    await world.advance(35_000);
    expect(sent()).toContain('close 1000 no answer to a ping');
  });
});

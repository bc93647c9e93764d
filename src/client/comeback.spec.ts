import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const last = (): string | undefined => world.take().at(-1);

describe('reconnecting', () => {
  it.each([0, 1001, 1006, 1012, 1005])(
    '[L-10.5] after close code %i a client spreads its first try over the window that the server sent',
    async (code) => {
      await world.client();
      await world.peer.welcome({ reconnectSpreadMs: 8_000 });
      await world.peer.end(code, 'why');
      expect(last()).toBe(`status waiting 4500 after ${String(code)} why`);
    },
  );

  it.each([4001, 4002, 4003, 4501])(
    '[L-10.5] after close code %i, which concerns only itself, a client does not spread its return',
    async (code) => {
      await world.client();
      await world.peer.welcome({ reconnectSpreadMs: 8_000 });
      await world.peer.end(code, 'why');
      expect(last()).toBe(`status waiting 750 after ${String(code)} why`);
    },
  );

  it('[L-10.5] a client spreads each further try twice as far, until it is connected', async () => {
    await world.client();
    await world.peer.welcome({ reconnectSpreadMs: 8_000 });
    for (const waited of [4_500, 8_500, 10_500]) {
      await world.peer.end();
      expect(last()).toBe(`status waiting ${String(waited)} after 1006 broken`);
      await world.advance(waited);
    }
    await world.peer.welcome({ reconnectSpreadMs: 0 });
    await world.advance(5_000);
    await world.peer.end();
    expect(last()).toBe('status waiting 750 after 1006 broken');
  });

  it('[L-10.5] a client does not spread after its page came back during a wait', async () => {
    await world.client();
    await world.peer.welcome({ reconnectSpreadMs: 8_000 });
    await world.peer.end();
    await world.visible();
    await world.peer.end();
    expect(last()).toBe('status waiting 750 after 1006 broken');
  });

  it('[L-10.5] a client spreads its tries only up to its own maximum delay', async () => {
    await world.client({ backoff: { maxMs: 1_000 } });
    await world.peer.welcome({ reconnectSpreadMs: 8_000 });
    await world.peer.end();
    expect(last()).toBe('status waiting 1000 after 1006 broken');
    await world.advance(1_000);
    await world.peer.end();
    expect(last()).toBe('status waiting 1000 after 1006 broken');
  });

  it('[L-10.5] a disconnect right after the page came back is not treated as one of a crowd', async () => {
    await world.client();
    await world.peer.welcome({ reconnectSpreadMs: 8_000 });
    await world.visible();
    await world.peer.end();
    expect(last()).toBe('status waiting 750 after 1006 broken');
  });

  it.each([5_000, 30_000])(
    '[L-10.5] [L-1.6] 1,000 clients of a server that is down for %i ms try evenly, with one token request each',
    async (outageMs) => {
      const clients = 1_000;
      const random = seeded(7);
      const tries = new Map<number, number>();
      let tokens = 0;
      for (let client = 0; client < clients; client += 1) {
        const own = new World();
        const startMs = own.nowMs;
        Object.assign(own.platform, { random });
        await own.client({ credential: () => `t${String((tokens += 1))}` });
        const reconnectSpreadMs = Math.max(1_000, 300 * Math.sqrt(client + 1));
        await own.peer.welcome({ reconnectSpreadMs });
        await own.advance(5_000);
        await own.peer.end();
        const cutMs = startMs + 5_000;
        for (let dialled = 1; ; dialled += 1) {
          while (own.peers.length === dialled) await own.advance(20);
          const second = Math.floor((own.nowMs - cutMs) / 1_000);
          tries.set(second, (tries.get(second) ?? 0) + 1);
          if (own.nowMs - cutMs >= outageMs) break;
          await own.peer.end();
        }
      }
      const most = Math.max(...tries.values());
      console.log(
        `down for ${String(outageMs)} ms: maximum tries per second: ${String(most)} of ${String(clients)} clients; tokens: ${String(tokens)}`,
      );
      expect(most).toBeLessThan(clients / 4);
      // Each client requested its first token before the outage.
      expect(tokens - clients).toBeLessThanOrEqual(2 * clients);
    },
    120_000,
  );

  it.each(['visible', 'focused', 'online'] as const)(
    'the event `%s` ends the wait for the next try',
    async (event) => {
      await world.client();
      for (const waitMs of [750, 1_000, 1_500]) {
        await world.peer.end();
        await world.advance(waitMs);
      }
      await world.peer.end();
      world.take();
      await world[event]();
      expect(world.take()).toEqual(['status connecting', 'dial live.v1']);
    },
  );

  it('the focus of a page does not end a wait that the server asked for, and pings no open link', async () => {
    await world.openClient();
    world.take();
    await world.focused();
    expect(world.take()).toEqual([]);
    await world.peer.tell({ type: 'draining', reconnectAfterMs: 10_000, windowMs: 0 });
    await world.peer.end(1001);
    world.take();
    await world.focused();
    expect(world.take()).toEqual([]);
  });

  it('a page that enters the back/forward cache disconnects, and resumes from its positions when shown again', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell({ type: 'subscribed', id: 1, topic: 'a', epoch: 'e', offset: 4, recovered: false });
    world.take();
    await world.cached();
    expect(world.take()).toEqual([
      'close 1000 page cached',
      'status waiting Infinity after 1000 page cached',
    ]);
    await world.advance(3_600_000);
    expect(world.take()).toEqual([]);
    await world.visible();
    await world.peer.welcome();
    expect(world.take()).toEqual([
      'status connecting',
      'dial live.v1',
      'status open',
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":4}}',
    ]);
  });

  it('[L-10.7] a cached page that is shown again before its slot reconnects in its slot', async () => {
    await world.client();
    await world.peer.welcome();
    await world.peer.tell({ type: 'draining', reconnectAfterMs: 60_000, windowMs: 0 });
    await world.cached();
    await world.advance(20_000);
    world.take();
    await world.visible();
    await world.visible();
    expect(world.take()).toEqual(['status waiting 40000 after 1000 page cached']);
    await world.advance(40_000);
    expect(last()).toMatch(/^dial/);
  });

  it('a closed client does not reconnect when its cached page is shown again', async () => {
    const client = await world.openClient();
    client.close();
    world.take();
    await world.cached();
    await world.visible();
    expect(world.take()).toEqual([]);
  });
});

describe('reconnect()', () => {
  it('reconnect() closes the open connection and connects again at once', async () => {
    const client = await world.openClient();
    client.reconnect();
    await world.settle();
    expect(world.take()).toEqual(['close 1000 reconnecting', 'status connecting', 'dial live.v1']);
  });

  it('reconnect() ends a wait, even one that the server asked for', async () => {
    const client = await world.openClient();
    await world.peer.tell({ type: 'draining', reconnectAfterMs: 10_000, windowMs: 0 });
    await world.peer.end(1001);
    world.take();
    client.reconnect();
    await world.settle();
    expect(world.take()).toEqual(['status connecting', 'dial live.v1']);
  });

  it('reconnect() does nothing during a handshake or on a closed client', async () => {
    const client = await world.client();
    client.reconnect();
    client.close();
    client.reconnect();
    await world.settle();
    expect(world.peers).toHaveLength(1);
    expect(client.state).toBe('closed');
  });
});

/** mulberry32, a small generator of 32 bits by Tommy Ettinger, public domain. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

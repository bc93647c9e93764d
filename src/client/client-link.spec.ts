import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';

let world: World;
beforeEach(() => {
  world = new World();
});

describe('connecting', () => {
  it('[L-1.11] a client connects at once, and is open only after the welcome', async () => {
    const client = await world.client();
    expect(client.state).toBe('connecting');
    world.peer.open();
    expect(client.state).toBe('connecting');
    await world.peer.welcome({ connectionId: 'abc' });
    expect(client.status).toMatchObject({ state: 'open', welcome: { connectionId: 'abc' } });
    expect(world.take()).toEqual(['dial live.v1', 'status open']);
  });

  it('a second welcome is ignored and does not repeat subscriptions', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.welcome();
    expect(world.take()).toEqual(['> {"type":"subscribe","id":1,"topic":"a"}']);
  });

  it('a client backs off longer after each failed handshake', async () => {
    await world.client();
    await world.peer.end();
    await world.advance(750);
    await world.peer.end();
    await world.advance(1_000);
    expect(world.take()).toEqual([
      'dial live.v1',
      'status waiting 750 after 1006 broken',
      'status connecting',
      'dial live.v1',
      'status waiting 1000 after 1006 broken',
      'status connecting',
      'dial live.v1',
    ]);
  });

  it('a client gives up a handshake that brings no welcome in time', async () => {
    await world.client();
    world.peer.open();
    await world.advance(9_999);
    expect(world.take()).toEqual(['dial live.v1']);
    await world.advance(1);
    expect(world.take()).toEqual([
      'close 1000 no welcome in time',
      'status waiting 750 after 1006 no welcome in time',
    ]);
  });

  it('a connection resets the back-off only if it lasted long enough', async () => {
    await world.client();
    for (const [livedMs, waitsMs] of [
      [4_999, 750],
      [4_999, 1_000],
      [5_000, 750],
    ] as const) {
      await world.peer.welcome();
      await world.advance(livedMs);
      world.take();
      await world.peer.end();
      expect(world.take()).toEqual([`status waiting ${String(waitsMs)} after 1006 broken`]);
      await world.advance(waitsMs);
    }
  });

  it.each([
    0, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 1014, 1015, 3000, 3999, 4000, 4001, 4003, 4499, 4501,
  ])('[L-10.3] a client reconnects after close code %i', async (code) => {
    await world.openClient();
    await world.peer.end(code, 'why');
    await world.advance(1_000);
    expect(world.take()).toEqual([
      `status waiting 750 after ${String(code)} why`,
      'status connecting',
      'dial live.v1',
    ]);
  });

  it.each([1000, 1002, 1003, 1007, 1009, 4500, 4503, 4504, 4999])(
    '[L-10.3] a client does not reconnect after close code %i',
    async (code) => {
      const client = await world.openClient({ credential: 'fixed' });
      await world.peer.end(code, 'why');
      await world.advance(3_600_000);
      await world.online();
      expect(world.take()).toEqual([`status closed ${String(code)} why`]);
      expect(client.state).toBe('closed');
      expect(world.timerCount + world.listenerCount).toBe(0);
    },
  );

  it('a waiting client reconnects at once when the network comes back', async () => {
    await world.client();
    await world.peer.end();
    world.take();
    await world.online();
    expect(world.take()).toEqual(['status connecting', 'dial live.v1']);
    await world.advance(749);
    expect(world.peers).toHaveLength(2);
  });

  it('the back-off is reset when the network comes back', async () => {
    await world.client();
    for (const waitMs of [750, 1_000]) {
      await world.peer.end();
      await world.advance(waitMs);
    }
    await world.peer.end();
    await world.online();
    world.take();
    await world.peer.end();
    expect(world.take()).toEqual(['status waiting 750 after 1006 broken']);
  });

  it('a returning network does not bring a client back before the time that the server asked for', async () => {
    await world.openClient();
    await world.peer.tell({ type: 'draining', reconnectAfterMs: 10_000, windowMs: 0 });
    await world.peer.end(1001, 'server shutting down');
    world.take();
    await world.online();
    expect(world.take()).toEqual([]);
    await world.advance(10_000);
    expect(world.take()).toEqual(['status connecting', 'dial live.v1']);
  });

  it('a client ignores unknown messages and reports invalid JSON', async () => {
    await world.openClient();
    await world.peer.tell({ type: 'of-a-later-version', data: 1 });
    world.take();
    await world.peer.text('{');
    await world.peer.text(new ArrayBuffer(1));
    expect(world.take()).toEqual([expect.stringMatching(/^error SyntaxError/)]);
    await world.peer.tell({ type: 'error', code: 'rate-limited', message: 'Too fast' });
    expect(world.take().slice(1)).toEqual(['error LiveError: Too fast']);
  });

  it('a client closes with the error if the WebSocket cannot be constructed', async () => {
    class Refusing {
      constructor() {
        throw new SyntaxError('no such URL');
      }
      addEventListener(): void {}
      send(): void {}
      close(): void {}
    }
    const client = await world.client({ webSocket: Refusing });
    expect(client.status).toMatchObject({ state: 'closed', error: new SyntaxError('no such URL') });
  });
});

describe('close()', () => {
  it('close() is final in every state', async () => {
    const open = await world.openClient();
    open.close();
    open.close();
    expect(world.take()).toEqual([
      'close 1000 closed by the application',
      'status closed 1000 closed by the application',
    ]);

    const connecting = await world.client();
    connecting.close();
    const late = world.peer;
    await late.welcome();
    await late.end();

    const waiting = await world.client();
    await world.peer.end();
    waiting.close();

    const asking = await world.client({ credential: () => new Promise<string>(() => {}) });
    asking.close();

    world.take();
    await world.advance(3_600_000);
    await world.online();
    expect(world.take()).toEqual([]);
    expect([open, connecting, waiting, asking].map(({ state }) => state)).toEqual(Array(4).fill('closed'));
    expect(world.timerCount + world.listenerCount).toBe(0);
  });

  it('a status listener may close the client in any state', async () => {
    for (const state of ['open', 'waiting', 'connecting']) {
      const client = await world.client({ credential: () => 'T' });
      client.on('status', (status) => status.state === state && client.close());
      await world.peer.welcome({ expiresAt: world.nowMs + 3_600_000 });
      await world.peer.end();
      await world.advance(60_000);
      expect(client.state).toBe('closed');
      expect(world.timerCount + world.listenerCount).toBe(0);
    }
  });
});

describe('suspect link', () => {
  it('[L-2.9] a link is checked with one ping when the network comes back, and kept after the pong', async () => {
    await world.openClient();
    await world.online();
    await world.online();
    await world.visible();
    await world.advance(4_999);
    await world.peer.tell({ type: 'pong', id: 1 });
    await world.advance(60_000);
    expect(world.take()).toEqual(['> {"type":"ping","id":1}', '< {"type":"pong","id":1}']);
  });

  it.each(['online', 'visible'] as const)(
    '[L-2.9] a link is checked after the event `%s`',
    async (happens) => {
      await world.openClient();
      await world[happens]();
      expect(world.take()).toEqual(['> {"type":"ping","id":1}']);
    },
  );

  it('[L-2.9] a link is dropped if the pong does not arrive within 5 s', async () => {
    await world.openClient();
    await world.visible();
    await world.peer.tell({ type: 'pong', id: 99 });
    await world.advance(5_000);
    const left = world.peer;
    await world.advance(750);
    await left.end(1006, 'late');
    expect(world.take()).toEqual([
      '> {"type":"ping","id":1}',
      '< {"type":"pong","id":99}',
      'close 1000 no answer to a ping',
      'status waiting 750 after 1006 no answer to a ping',
      'status connecting',
      'dial live.v1',
    ]);
  });
});

describe('draining', () => {
  const draining = { type: 'draining', reconnectAfterMs: 2_000, windowMs: 10_000 } as const;

  it('[L-10.7] a draining client opens its next connection at its own moment, and leaves the old one once it has recovered', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell({ type: 'subscribed', id: 1, topic: 'a', epoch: 'e', offset: 3, recovered: false });
    world.chance = 0.3;
    await world.peer.tell(draining);
    const [old] = world.peers;
    await world.advance(4_999);
    world.take();
    await world.advance(1);
    expect(world.take()).toEqual(['dial live.v1']);
    await old?.tell({ type: 'event', topic: 'a', offset: 4, data: 'on the old one' });
    expect([client.state, world.take().at(-1)]).toEqual(['open', 'event a@e:4 "on the old one"']);
    await world.peer.welcome({ connectionId: 'next' });
    expect(client.status).toMatchObject({ state: 'open', welcome: { connectionId: 'next' } });
    expect(world.take()).toEqual([
      'status open',
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":4}}',
    ]);
    await world.peer.tell(
      { type: 'subscribed', id: 2, topic: 'a', epoch: 'e', offset: 4, recovered: true },
      { type: 'event', topic: 'a', offset: 5, data: 'on the new one' },
    );
    expect(world.take().filter((entry) => !entry.startsWith('<'))).toEqual([
      'close 1000 draining',
      'event a@e:5 "on the new one"',
    ]);
  });

  it('[L-10.7] a draining client waits for its moment even if the server closes earlier', async () => {
    await world.openClient();
    await world.peer.tell(draining);
    await world.advance(1_000);
    await world.peer.end(1001, 'server shutting down');
    await world.advance(5_999);
    expect(world.take().slice(1)).toEqual(['status waiting 6000 after 1001 server shutting down']);
    await world.advance(1);
    expect(world.take()).toEqual(['status connecting', 'dial live.v1']);
  });

  it('[L-10.7] requests are answered on the connection that they were sent on, which is kept until then', async () => {
    const client = await world.openClient();
    const [old] = world.peers;
    const first = client.request('x', 1);
    await world.peer.tell({ ...draining, reconnectAfterMs: 0, windowMs: 0 });
    await world.advance(0);
    const second = client.request('x', 2);
    await world.peer.welcome();
    const third = client.request('x', 3);
    expect(world.take().slice(2)).toEqual([
      'dial live.v1',
      '> {"type":"x","data":2,"id":2}',
      'status open',
      '> {"type":"x","data":3,"id":3}',
    ]);
    await old?.tell({ type: 'x', id: 1, data: 'one' });
    await world.peer.tell({ type: 'x', id: 3, data: 'three' });
    expect([await first, await third]).toEqual(['one', 'three']);
    expect(old?.closed).toBe(false);
    await old?.tell({ type: 'error', id: 2, code: 'forbidden', message: 'No' });
    await expect(second).rejects.toThrow('No');
    expect(world.take().at(-1)).toBe('close 1000 draining');
  });

  it('[L-10.7] requests have an unknown outcome if the old connection ends before it answers, and the others continue', async () => {
    const client = await world.openClient();
    const [old] = world.peers;
    const first = client.publish('a', 1);
    await world.peer.tell({ ...draining, reconnectAfterMs: 0, windowMs: 0 });
    await world.advance(0);
    await world.peer.welcome();
    const second = client.publish('a', 2);
    const unknown = expect(first).rejects.toMatchObject({ code: 'unknown-outcome' });
    await old?.end(1001, 'server shutting down');
    await unknown;
    expect(client.state).toBe('open');
    await world.peer.tell({ type: 'published', id: 2, topic: 'a', epoch: 'e', offset: 1 });
    expect(await second).toMatchObject({ offset: 1 });
  });

  it('[L-10.7] a draining client whose next handshake is refused stays, and tries again with back-off', async () => {
    const client = await world.openClient();
    await world.peer.tell({ ...draining, reconnectAfterMs: 0, windowMs: 0 });
    await world.advance(0);
    world.take();
    await world.peer.end();
    expect([client.state, world.take()]).toEqual(['open', []]);
    await world.advance(750);
    expect(world.take()).toEqual(['dial live.v1']);
    await world.peer.welcome();
    expect(world.take()).toEqual(['status open', 'close 1000 draining']);
  });

  it('[L-10.7] a client whose connection is closed while the next one is being opened waits for that one', async () => {
    const client = await world.openClient();
    const [old] = world.peers;
    await world.peer.tell({ ...draining, reconnectAfterMs: 0, windowMs: 0 });
    await world.advance(0);
    world.take();
    await old?.end(1001, 'server shutting down');
    expect([client.state, world.take()]).toEqual(['connecting', ['status connecting']]);
    await world.peer.welcome();
    expect([client.state, world.take()]).toEqual(['open', ['status open']]);
    expect(world.peers).toHaveLength(2);
  });

  it('[L-10.7] a client that is closed while it changes connections closes all of them', async () => {
    const client = await world.openClient();
    const asked = client.publish('a', 1).catch((error: unknown) => error);
    for (let i = 0; i < 2; i++) {
      await world.peer.tell({ ...draining, reconnectAfterMs: 0, windowMs: 0 });
      await world.advance(0);
      if (i === 0) await world.peer.welcome();
    }
    client.close();
    expect(world.peers.map(({ closed }) => closed)).toEqual([true, true, true]);
    expect([world.timerCount, world.listenerCount, await asked]).toMatchObject([
      0,
      0,
      { code: 'unknown-outcome' },
    ]);
  });

  it('[L-10.7] a second draining message replaces the first one', async () => {
    await world.openClient();
    await world.peer.tell(draining, { ...draining, reconnectAfterMs: 60_000 });
    await world.advance(64_999);
    expect(world.peers).toHaveLength(1);
    await world.advance(1);
    expect(world.peers).toHaveLength(2);
  });

  it('[L-10.7] closing the client cancels a pending drain', async () => {
    const client = await world.openClient();
    await world.peer.tell(draining);
    client.close();
    expect(world.timerCount).toBe(0);
  });

  it('[L-10.7] a drain delay beyond the timer limit of the platform is still honored', async () => {
    await world.openClient();
    await world.peer.tell({ type: 'draining', reconnectAfterMs: 3_000_000_000, windowMs: -1 });
    await world.advance(2_999_999_999);
    expect(world.peers).toHaveLength(1);
    await world.advance(1);
    expect(world.peers).toHaveLength(2);
  });
});

describe('listeners', () => {
  it('an error thrown by a status listener is reported, and affects neither the client nor other listeners', async () => {
    const client = await world.client();
    const seen: string[] = [];
    client.on('status', () => {
      throw new Error('mine');
    });
    const stop = client.on('status', ({ state }) => void seen.push(state));
    await world.peer.welcome();
    stop();
    await world.peer.end();
    expect(seen).toEqual(['open']);
    expect(world.take().filter((entry) => entry.startsWith('error'))).toEqual([
      'error Error: mine',
      'error Error: mine',
    ]);
  });
});

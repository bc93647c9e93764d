import { beforeEach, describe, expect, it } from 'vitest';
import { type FakePeer, World } from '../../test/support/client-world.js';
import type { LiveClient } from './live-client.js';

const answer = { topic: 'a', epoch: 'e', recovered: true } as const;
let world: World;
let client: LiveClient;
let old: FakePeer;
beforeEach(async () => {
  world = new World();
  client = await world.openClient();
  old = world.peer;
});

const subscribed = (id: number | undefined, offset: number, more: object = {}) => ({
  type: 'subscribed',
  ...(id !== undefined && { id }),
  ...answer,
  offset,
  ...more,
});
const event = (offset: number, from?: number) => ({ type: 'event', topic: 'a', offset, from, data: offset });
const refused = (id: number, code: string) => ({ type: 'error', id, topic: 'a', code, message: 'No' });

/** What the client has done and the application has seen since the last call. */
function seen(): string[] {
  return world.take().filter((entry) => !/^(<|dial)/.test(entry));
}

/** Subscribes to `a`, so that the application has everything up to 3. */
async function follow(more: object = {}): Promise<void> {
  client.subscribe('a', world.app);
  await old.tell(subscribed(1, 3, { recovered: false, ...more }));
}

/** The old connection is draining, and the next one has just been welcomed. */
async function moving(): Promise<FakePeer> {
  await old.tell({ type: 'draining', reconnectAfterMs: 0, windowMs: 0 });
  await world.advance(0);
  await world.peer.welcome({ connectionId: 'next' });
  seen();
  return world.peer;
}

describe('handover to the next connection', () => {
  it('[L-10.7] the old connection delivers until the next one has answered, and no publication comes twice', async () => {
    await follow();
    const next = await moving();
    await old.tell(event(4), event(5));
    expect(seen()).toEqual(['event a@e:4 4', 'event a@e:5 5']);
    await next.tell(subscribed(2, 3), event(4), event(5), event(6));
    await old.tell(event(6), event(7));
    await next.tell(event(7));
    expect(seen()).toEqual(['close 1000 draining', 'event a@e:6 6', 'event a@e:7 7']);
    expect(old.closed).toBe(true);
  });

  it('[L-10.7] a merged publication reports only what the old connection has not delivered', async () => {
    await follow();
    const next = await moving();
    await old.tell(event(4), event(5));
    await next.tell(subscribed(2, 3), event(8, 4));
    expect(seen().at(-1)).toBe('event a@e:8 from 6 8');
  });

  it('[L-10.7] the old connection is kept until every topic is answered, and serves only those that are not', async () => {
    await follow();
    client.subscribe('b', world.app);
    await old.tell({ ...subscribed(2, 0), topic: 'b', recovered: false });
    const next = await moving();
    await next.tell(subscribed(3, 3));
    await old.tell(event(4), { ...event(1), topic: 'b' });
    expect(seen()).toEqual(['event b@e:1 1']);
    expect(old.closed).toBe(false);
    await next.tell({ ...subscribed(4, 1), topic: 'b' }, event(4));
    expect(seen()).toEqual(['close 1000 draining', 'event a@e:4 4']);
  });

  it('[L-10.7] a topic without a history loses nothing if the old connection has delivered what the next one skips', async () => {
    await follow();
    const next = await moving();
    await old.tell(event(4), event(5));
    await next.tell(subscribed(2, 5, { recovered: false }), event(6));
    expect(seen().slice(2)).toEqual(['close 1000 draining', 'event a@e:6 6']);
  });

  it('[L-10.7] a fresh start beyond what the old connection has delivered waits until that has delivered it', async () => {
    await follow();
    const next = await moving();
    await old.tell(event(4));
    await next.tell(subscribed(2, 6, { recovered: false }), event(7));
    await old.tell(event(5));
    expect(seen().slice(1)).toEqual(['event a@e:5 5']);
    await next.tell(event(8));
    await old.tell(event(6), event(7), event(8));
    expect(seen()).toEqual(['event a@e:6 6', 'event a@e:7 7', 'event a@e:8 8', 'close 1000 draining']);
    await next.tell(event(9));
    expect(seen()).toEqual(['event a@e:9 9']);
  });

  it('[L-10.7] a fresh start that the old connection does not reach before it ends is a loss', async () => {
    await follow();
    const next = await moving();
    await next.tell(subscribed(2, 6, { recovered: false }), event(7));
    seen();
    await old.end(1001, 'server shutting down');
    expect(seen()).toEqual(['lost unrecovered 4-6 (3) a@e:6', 'event a@e:7 7']);
  });

  it('[L-10.7] a fresh start that the old connection does not reach in the time of a request is a loss', async () => {
    await follow();
    const next = await moving();
    await next.tell(subscribed(2, 6, { recovered: false }), event(7));
    await world.advance(9_999);
    expect(seen().filter((line) => line.startsWith('lost'))).toEqual([]);
    await world.advance(1);
    expect(seen().slice(-3)).toEqual([
      'lost unrecovered 4-6 (3) a@e:6',
      'event a@e:7 7',
      'close 1000 draining',
    ]);
  });

  it('[L-10.8] a fresh start that waits is dropped with its connection, and the old one goes on', async () => {
    await follow();
    const next = await moving();
    await next.tell(subscribed(2, 6, { recovered: false }), event(7));
    seen();
    await next.end();
    await old.tell(event(4), event(5), event(6), event(7), event(8));
    expect(seen().filter((line) => /^(event|lost)/.test(line))).toEqual(
      [4, 5, 6, 7, 8].map((n) => `event a@e:${n} ${n}`),
    );
  });

  it('[L-10.7] a topic that the next connection does not answer keeps the old one for the time of a request at most', async () => {
    await follow();
    const next = await moving();
    await world.advance(9_999);
    await old.tell(event(4));
    expect(seen()).toContain('event a@e:4 4');
    expect(old.closed).toBe(false);
    await world.advance(1);
    expect(old.closed).toBe(true);
    await next.tell(subscribed(2, 3), event(4), event(5));
    expect(seen().slice(-1)).toEqual(['event a@e:5 5']);
  });

  it.each([
    ['unavailable', 'waiting'],
    ['forbidden', 'end'],
  ])(
    '[L-10.7] an error `%s` of the next connection is an answer, and the old one delivers no more',
    async (code, what) => {
      await follow();
      const next = await moving();
      await next.tell(refused(2, code));
      await old.tell(event(4));
      expect(old.closed).toBe(true);
      expect(seen().at(-1)).toMatch(new RegExp(`^${what}`));
    },
  );

  it.each([
    ['a loss', { type: 'lost', topic: 'a', from: 4, to: 4, count: 1 }],
    ['a fresh start', subscribed(undefined, 9, { epoch: 'f', recovered: false })],
    ['the end of the subscription', { type: 'unsubscribed', topic: 'a', code: 'forbidden', reason: 'No' }],
  ])('[L-10.7] %s on the old connection leaves what follows to the next one', async (_name, message) => {
    await follow();
    const next = await moving();
    await old.tell(message, event(5), event(10));
    expect(seen()).toEqual(['close 1000 draining']);
    await next.tell(subscribed(2, 3), event(4), event(5));
    expect(seen()).toEqual(['event a@e:4 4', 'event a@e:5 5']);
  });

  it('[L-10.7] a topic whose subscribe is under way is asked for on the next connection only', async () => {
    client.subscribe('a', world.app);
    const next = await moving();
    await old.tell(subscribed(1, 3, { recovered: false }), event(4));
    expect(seen()).toEqual([]);
    await next.tell(subscribed(2, 4, { recovered: false }), event(5));
    expect(seen()).toEqual(['start a@e:4', 'event a@e:5 5']);
  });

  it('[L-10.7] an unsubscribe releases the old connection', async () => {
    await follow();
    const subscription = client.subscribe('a', world.app);
    const next = await moving();
    subscription.unsubscribe();
    expect(old.closed).toBe(false);
    await next.tell(subscribed(2, 3));
    expect(old.closed).toBe(true);
    client.close();
    expect(world.timerCount).toBe(0);
  });

  it('[L-10.7] a topic that is left before it is answered does not keep the old connection', async () => {
    const subscription = client.subscribe('a', world.app);
    await old.tell(subscribed(1, 3, { recovered: false }));
    await moving();
    subscription.unsubscribe();
    await world.settle();
    expect(old.closed).toBe(true);
    await old.tell(event(4));
    expect(seen().filter((entry) => entry.startsWith('event'))).toEqual([]);
  });
});

describe('the next connection ends before it has recovered', () => {
  it('[L-10.8] the old connection goes on, and the client tries again', async () => {
    await follow();
    const next = await moving();
    await next.end(1006, 'broken');
    expect(client.status).toMatchObject({ state: 'open', welcome: { connectionId: 'c' } });
    await old.tell(event(4));
    expect(seen()).toEqual(['status open', 'event a@e:4 4']);
    await world.advance(750);
    await world.peer.welcome({ connectionId: 'third' });
    await world.peer.tell(subscribed(3, 4), event(5));
    expect(seen()).toEqual([
      'status open',
      '> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":4}}',
      'close 1000 draining',
      'event a@e:5 5',
    ]);
  });

  it('[L-10.8] topics that have moved are resumed on the old connection', async () => {
    await follow();
    client.subscribe('b', world.app);
    await old.tell({ ...subscribed(2, 0), topic: 'b', recovered: false });
    const next = await moving();
    await next.tell(subscribed(3, 3), event(4));
    await old.tell(event(4));
    seen();
    await next.end(1006, 'broken');
    await old.tell({ ...event(1), topic: 'b' });
    expect(seen()).toEqual([
      'status open',
      '> {"type":"subscribe","id":5,"topic":"a","since":{"epoch":"e","offset":4}}',
      'event b@e:1 1',
    ]);
    await old.tell(subscribed(5, 4), event(5));
    expect(seen()).toEqual(['event a@e:5 5']);
  });

  it('[L-10.8] requests to the old connection are answered, and those to the next one have an unknown outcome', async () => {
    const first = client.publish('a', 1);
    const next = await moving();
    const second = client.publish('a', 2);
    const unknown = expect(second).rejects.toMatchObject({ code: 'unknown-outcome' });
    await next.end(1006, 'broken');
    await unknown;
    const third = client.publish('a', 3);
    await old.tell({ type: 'published', id: 1, topic: 'a', epoch: 'e', offset: 1 });
    await old.tell({ type: 'published', id: 3, topic: 'a', epoch: 'e', offset: 2 });
    expect([await first, await third]).toMatchObject([{ offset: 1 }, { offset: 2 }]);
    expect(old.closed).toBe(false);
  });

  it('[L-10.8] a close code after which a client does not reconnect also ends the old connection', async () => {
    await follow();
    const next = await moving();
    await next.end(4503, 'disconnected by the application');
    expect(seen()).toEqual([
      'close 1000 disconnected by the application',
      'status closed 4503 disconnected by the application',
      expect.stringMatching(/^end a/),
    ]);
    expect([world.timerCount, world.listenerCount]).toEqual([0, 0]);
  });

  it('[L-10.8] a client that loses both connections reconnects, and resumes from its position', async () => {
    await follow();
    const next = await moving();
    await old.tell(event(4));
    await old.end(1001, 'server shutting down');
    await next.end(1006, 'broken');
    seen();
    await world.advance(1_000);
    await world.peer.welcome();
    expect(seen().at(-1)).toBe('> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":4}}');
  });
});

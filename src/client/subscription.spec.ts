import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';
import { LiveError } from './index.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const event = (offset: number, more: object = {}) => ({
  type: 'event',
  topic: 'a',
  offset,
  data: offset * 10,
  ...more,
});
const subscribed = (id: number | undefined, offset: number, more: object = {}) => ({
  type: 'subscribed',
  ...(id !== undefined && { id }),
  topic: 'a',
  epoch: 'e',
  offset,
  recovered: false,
  ...more,
});

/** Only the messages that the client sent and the application saw. */
const seen = (): string[] => world.take().filter((entry) => !entry.startsWith('<'));

/** Cuts the connection and comes back. */
async function reconnect(): Promise<void> {
  await world.peer.end();
  await world.advance(750);
  await world.peer.welcome();
}

describe('subscribe', () => {
  it('[L-4.11] a removal arrives as an event with `removed` and without data', async () => {
    const client = await world.openClient();
    const messages: unknown[] = [];
    client.subscribe('a', (message) => void messages.push(message));
    await world.settle();
    await world.peer.tell(subscribed(1, 4), {
      type: 'event',
      topic: 'a',
      offset: 5,
      removed: true,
      key: 'k',
    });
    expect(messages.at(-1)).toStrictEqual({
      type: 'event',
      topic: 'a',
      position: { epoch: 'e', offset: 5 },
      from: 5,
      removed: true,
      key: 'k',
    });
  });

  it('[L-3.15] a subscription to $user gets messages that name $user, and no other reserved name is a topic', async () => {
    const client = await world.openClient();
    const messages: unknown[] = [];
    client.subscribe('$user', (message) => void messages.push(message));
    await world.settle();
    expect(seen()).toContain('> {"type":"subscribe","id":1,"topic":"$user"}');
    await world.peer.tell({ ...subscribed(1, 4), topic: '$user' }, { ...event(5), topic: '$user' });
    expect(messages).toMatchObject([
      { type: 'start', topic: '$user' },
      { type: 'event', topic: '$user', data: 50 },
    ]);
    for (const name of ['$user/7', '$users', '$']) expect(() => client.subscribe(name)).toThrow(TypeError);
  });

  it('[L-3.2] a subscription gets a start with its snapshot, then every publication', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4, { snapshot: { n: 4 } }), event(5), event(6, { key: 'k' }));
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":1,"topic":"a"}',
      'start a@e:4 snapshot {"n":4}',
      'event a@e:5 50',
      'event a@e:6 60 key k',
    ]);
  });

  it('subscriptions made without a connection are sent together on the first one', async () => {
    const client = await world.client();
    client.subscribe('a', world.app);
    client.subscribe('b', world.app);
    const gone = client.subscribe('c', world.app);
    gone.unsubscribe();
    await world.peer.end();
    await world.advance(750);
    world.take();
    world.peer.open();
    await world.settle();
    expect(world.take()).toEqual([]);
    await world.peer.welcome();
    expect(world.take()).toEqual([
      'status open',
      '> {"type":"subscribe","id":1,"topic":"a"}',
      '> {"type":"subscribe","id":2,"topic":"b"}',
    ]);
  });

  it('[L-5.2] a subscription resumes from a position that the application kept', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app, { since: { epoch: 'e', offset: 2 } });
    await world.peer.tell(subscribed(1, 2, { recovered: true }), event(3));
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":1,"topic":"a","since":{"epoch":"e","offset":2}}',
      'start a@e:2 recovered',
      'event a@e:3 30',
    ]);
  });

  it('[L-5.3] a subscription reports what was lost if its kept position cannot be resumed', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app, { since: { epoch: 'e', offset: 2 } });
    await world.peer.tell(subscribed(1, 9, { snapshot: 'S' }), event(10));
    expect(seen().slice(1)).toEqual(['lost unrecovered 3-9 (7) a@e:9 snapshot "S"', 'event a@e:10 100']);
  });

  it('[L-3.1] subscribe refuses an invalid topic name and an invalid position', async () => {
    const client = await world.openClient();
    for (const name of ['', '/a', 'a//b', '$sys', 'ä', '..', 'a/./b', 'x'.repeat(129)]) {
      expect(() => client.subscribe(name)).toThrow(TypeError);
    }
    const since = { epoch: 'e', offset: -1 };
    expect(() => client.subscribe('a', { since })).toThrow('`since` must be { epoch, offset }');
    expect(seen()).toEqual([]);
  });

  it('a closed client refuses to subscribe', async () => {
    const client = await world.openClient();
    client.close();
    expect(() => client.subscribe('a')).toThrow('The client is closed');
  });
});

describe('reconnect', () => {
  it('[L-5.2] a reconnect subscribes to every topic at once, each from its own position', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    client.subscribe('b', world.app);
    await world.peer.tell(subscribed(1, 4), event(5), subscribed(2, 8, { topic: 'b' }));
    await world.peer.end();
    await world.advance(750);
    world.take();
    await world.peer.welcome();
    expect(world.take()).toEqual([
      'status open',
      '> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":5}}',
      '> {"type":"subscribe","id":4,"topic":"b","since":{"epoch":"e","offset":8}}',
    ]);
  });

  it('[L-5.2] the application does not notice a reconnect that recovers everything', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4), event(5));
    await reconnect();
    world.take();
    await world.peer.tell(subscribed(2, 5, { recovered: true }), event(6), event(7));
    expect(seen()).toEqual(['event a@e:6 60', 'event a@e:7 70']);
  });

  it('[L-5.3] a reconnect that cannot recover reports one loss with the range and a new snapshot', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }), event(5));
    await reconnect();
    world.take();
    await world.peer.tell(subscribed(2, 9, { snapshot: 9 }), event(10));
    expect(seen()).toEqual(['lost unrecovered 6-9 (4) a@e:9 snapshot 9', 'event a@e:10 100']);
  });

  it('[L-5.13] a position that is recovered under a new epoch continues without a loss', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4), event(5));
    await reconnect();
    world.take();
    await world.peer.tell(subscribed(2, 5, { epoch: 'f', recovered: true }), event(6), event(7));
    expect(seen()).toEqual(['event a@f:6 60', 'event a@f:7 70']);
  });

  it('[L-5.13] a subscription further in the old epoch sends its own request to learn whether it continues', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4), event(5), event(6));
    client.subscribe('a', world.app, { since: { epoch: 'e', offset: 4 } });
    world.take();
    await world.peer.tell(subscribed(2, 4, { epoch: 'f', recovered: true }), event(5), event(6), event(7));
    expect(seen()).toEqual([
      'start a@f:4 recovered',
      '> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":6}}',
      'event a@f:5 50',
      'event a@f:6 60',
      'event a@f:7 70',
    ]);
    await world.peer.tell(subscribed(3, 6, { epoch: 'f', recovered: true }), event(7));
    expect(seen()).toEqual(['event a@f:7 70']);
  });

  it('[L-5.14] a pushed new epoch of the same stream is not a loss', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4), event(5));
    world.take();
    await world.peer.tell(subscribed(undefined, 5, { epoch: 'f', recovered: true }), event(6));
    expect(seen()).toEqual(['event a@f:6 60']);
    await reconnect();
    expect(seen()).toContain('> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"f","offset":6}}');
  });

  it('[L-5.14] a pushed new epoch does not affect a subscription that waits for its own answer', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4));
    client.subscribe('a', world.app, { since: { epoch: 'never', offset: 4 } });
    world.take();
    await world.peer.tell(subscribed(undefined, 4, { epoch: 'f', recovered: true }));
    await world.peer.tell(subscribed(2, 4, { epoch: 'f' }), event(5));
    expect(seen()).toContain('lost unrecovered a@f:4');
  });

  it('[L-4.2] a reconnect that finds another epoch reports no range', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4));
    await reconnect();
    world.take();
    // `recovered` with another epoch and another offset contradicts itself: the epoch decides.
    await world.peer.tell(subscribed(2, 9, { epoch: 'f', recovered: true }), event(10));
    expect(seen()).toEqual(['lost unrecovered a@f:9', 'event a@f:10 100']);
  });

  it('subscriptions with positions in one stream send one request, from the earliest position', async () => {
    const client = await world.client();
    for (const offset of [4, 2, 6]) client.subscribe('a', world.app, { since: { epoch: 'e', offset } });
    await world.peer.welcome();
    world.take();
    await world.peer.tell(subscribed(1, 2, { recovered: true }), event(3));
    expect(seen()).toEqual([
      'start a@e:4 recovered',
      'start a@e:2 recovered',
      'start a@e:6 recovered',
      'event a@e:3 30',
    ]);
  });

  it.each([
    ['the lost one first', ['old', 'e']],
    ['the current one first', ['e', 'old']],
  ])('subscriptions with positions in two streams send a request each, %s', async (_name, epochs) => {
    const client = await world.client();
    for (const epoch of epochs) client.subscribe('a', world.app, { since: { epoch, offset: 4 } });
    await world.peer.welcome();
    const answers = epochs.map((epoch, index) =>
      subscribed(index + 1, epoch === 'e' ? 4 : 6, { recovered: epoch === 'e' }),
    );
    world.take();
    await world.peer.tell(...answers.slice(0, 1));
    await world.peer.tell(...answers.slice(1));
    const told = seen();
    expect(told.filter((entry) => entry.startsWith('>'))).toHaveLength(1);
    expect(told).toContain('lost unrecovered a@e:6');
    expect(told).toContain('start a@e:4 recovered');
  });

  it('a reconnect that finds the stream before its position reports no range', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4));
    await reconnect();
    world.take();
    await world.peer.tell(subscribed(2, 3), event(4));
    expect(seen()).toEqual(['lost unrecovered a@e:3', 'event a@e:4 40']);
  });

  it('an answer of an earlier connection is not taken for one of the new connection', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await reconnect();
    world.take();
    await world.peer.tell(subscribed(1, 7));
    expect(seen()).toEqual([]);
    await world.peer.tell(subscribed(2, 8));
    expect(seen()).toEqual(['start a@e:8']);
  });
});

describe('offsets', () => {
  beforeEach(async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4));
    world.take();
  });

  it('[L-4.2] an event with an offset already seen is dropped', async () => {
    await world.peer.tell(event(5), event(5), event(4), event(6), event(1));
    expect(seen()).toEqual(['event a@e:5 50', 'event a@e:6 60']);
  });

  it('an event with `from` covers what is missing of its range', async () => {
    await world.peer.tell(
      event(8, { from: 5 }),
      event(9),
      event(12, { from: 9 }),
      event(12, { from: 10 }),
      event(13),
    );
    expect(seen()).toEqual([
      'event a@e:8 from 5 80',
      'event a@e:9 90',
      'event a@e:12 from 10 120',
      'event a@e:13 130',
    ]);
  });

  it('[L-4.2] a gap in the offsets makes the client subscribe again from its position', async () => {
    await world.peer.tell(event(5), event(7), event(8), event(10, { from: 9 }));
    expect(seen()).toEqual([
      'event a@e:5 50',
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":5}}',
    ]);
    await world.peer.tell(subscribed(2, 5, { recovered: true }), event(6), event(7), event(8), event(9));
    expect(seen()).toEqual(['event a@e:6 60', 'event a@e:7 70', 'event a@e:8 80', 'event a@e:9 90']);
  });

  it('[L-5.3] after a gap that cannot be recovered, events continue from the new start', async () => {
    await world.peer.tell(event(7), event(8), event(9));
    world.take();
    await world.peer.tell(subscribed(2, 8, { snapshot: 8 }), event(9));
    expect(seen()).toEqual(['lost unrecovered 5-8 (4) a@e:8 snapshot 8', 'event a@e:9 90']);
  });

  it('repeated gaps are retried with back-off', async () => {
    await world.peer.tell(event(6));
    await world.peer.tell(subscribed(2, 7), event(9));
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":4}}',
      'lost unrecovered 5-7 (3) a@e:7',
    ]);
    await world.advance(749);
    expect(seen()).toEqual([]);
    await world.advance(1);
    expect(seen()).toEqual(['> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":7}}']);
  });

  it('an event with an invalid offset is reported and ignored', async () => {
    await world.peer.tell(event(Number.NaN), event(5.5), { type: 'event', topic: 'a', offset: '5', data: 1 });
    expect(seen()).toEqual(Array(3).fill('error Error: The server sent an invalid position'));
  });
});

describe('loss reported by the server', () => {
  const lost = (from: number, to: number) => ({ type: 'lost', topic: 'a', from, to, count: to - from + 1 });

  it('a loss with an invalid offset is reported and moves no subscription', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4));
    seen();
    await world.peer.tell({ type: 'lost', topic: 'a' }, lost(5, 7.5), event(5));
    const refused = 'error Error: The server sent an invalid position';
    expect(seen()).toEqual([refused, refused, 'event a@e:5 50']);
  });

  it('[L-5.8] a loss on a topic without snapshots is reported at once', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4), lost(5, 7), event(8), lost(6, 8));
    expect(seen().slice(2)).toEqual(['lost dropped 5-7 (3) a@e:7', 'event a@e:8 80']);
  });

  it('[L-5.8] a loss on a topic with snapshots is reported with the pushed snapshot, without a request', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }), lost(5, 7));
    expect(seen().slice(1)).toEqual(['start a@e:4 snapshot 4']);
    await world.peer.tell(subscribed(undefined, 8, { snapshot: 8 }), event(8), event(9), event(10));
    expect(seen()).toEqual(['lost dropped 5-8 (4) a@e:8 snapshot 8', 'event a@e:9 90', 'event a@e:10 100']);
    await world.advance(60_000);
    expect(seen().filter((line) => line.includes('subscribe'))).toEqual([]);
  });

  it('[L-5.8] a client that gets no new start in time after a loss subscribes again', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }), lost(5, 7), event(8));
    world.take();
    await world.advance(9_999);
    expect(seen()).toEqual([]);
    await world.advance(1);
    expect(seen()).toEqual(['> {"type":"ping","id":2}']);
    await world.peer.tell({ type: 'pong', id: 2 });
    expect(seen()).toEqual(['> {"type":"subscribe","id":3,"topic":"a"}']);
    await world.peer.tell(subscribed(3, 8, { snapshot: 8 }), event(9));
    expect(seen()).toEqual(['lost dropped 5-8 (4) a@e:8 snapshot 8', 'event a@e:9 90']);
  });

  it('[L-5.8] with unknown snapshot support a loss is reported at once, and a start that follows is accepted', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app, { since: { epoch: 'e', offset: 4 } });
    await world.peer.tell(subscribed(1, 4, { recovered: true }), lost(5, 7));
    world.take();
    await world.peer.tell(subscribed(undefined, 7, { snapshot: 7 }), event(8));
    expect(seen()).toEqual(['lost dropped 8-7 (0) a@e:7 snapshot 7', 'event a@e:8 80']);
  });

  it('[L-5.8] a reported loss does not change the reason given for a later one', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    const again = subscribed(undefined, 5, { snapshot: 5 });
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }), lost(5, 5), again);
    await reconnect();
    world.take();
    await world.peer.tell(subscribed(2, 7, { snapshot: 7 }));
    expect(seen()).toEqual(['lost unrecovered 6-7 (2) a@e:7 snapshot 7']);
  });

  it('[L-5.8] a reported loss may still be recovered after a disconnect', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }), lost(5, 5));
    await reconnect();
    world.take();
    await world.peer.tell(subscribed(2, 4, { recovered: true }), event(5));
    expect(seen()).toEqual(['event a@e:5 50']);
  });

  it('[L-5.7] the loss of the whole stream is one message with the new epoch and its snapshot', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4), event(5));
    world.take();
    await world.peer.tell(subscribed(undefined, 0, { epoch: 'f', snapshot: 0 }), event(1), event(2));
    expect(seen()).toEqual(['lost new-epoch a@f:0 snapshot 0', 'event a@f:1 10', 'event a@f:2 20']);
    await reconnect();
    expect(seen().at(-1)).toBe('> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"f","offset":2}}');
  });

  it('[L-5.7] the loss of the whole stream is reported once if a pending answer also shows it', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4), event(6));
    world.take();
    await world.peer.tell(
      subscribed(undefined, 1, { epoch: 'f' }),
      event(2),
      subscribed(2, 2, { epoch: 'f' }),
      event(3),
    );
    expect(seen()).toEqual(['lost new-epoch a@f:1', 'event a@f:2 20', 'event a@f:3 30']);
  });
});

describe('end of a subscription', () => {
  it('[L-3.6] unsubscribe sends a message, and nothing is delivered after it', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4));
    world.take();
    subscription.unsubscribe();
    subscription.unsubscribe();
    await world.peer.tell(event(5), { type: 'unsubscribed', id: 2, topic: 'a' });
    expect(seen()).toEqual(['> {"type":"unsubscribe","id":2,"topic":"a"}']);
    await reconnect();
    expect(seen().at(-1)).toBe('status open');
  });

  it('[L-3.7] an unsubscribe cancels a subscribe in progress', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app).unsubscribe();
    client.subscribe('a', world.app);
    world.take();
    await world.peer.tell(
      { type: 'error', id: 1, code: 'unavailable', message: 'Unsubscribed', topic: 'a' },
      { type: 'unsubscribed', id: 2, topic: 'a' },
      event(3),
      subscribed(3, 3),
      event(4),
    );
    expect(seen()).toEqual(['start a@e:3', 'event a@e:4 40']);
  });

  it('a resubscribe right after unsubscribe ignores late answers to the first one', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app).unsubscribe();
    client.subscribe('a', world.app);
    world.take();
    // Late answers to the first one: its start, the loss of its stream, and the end of its right,
    // all sent before the server read the unsubscribe.
    await world.peer.tell(
      subscribed(1, 4),
      event(5),
      subscribed(undefined, 0, { epoch: 'old' }),
      event(1, { data: 'old' }),
      { type: 'lost', topic: 'a', from: 2, to: 3, count: 2 },
      { type: 'unsubscribed', topic: 'a', code: 'forbidden', reason: 'revoked' },
      { type: 'unsubscribed', id: 2, topic: 'a' },
    );
    expect(seen()).toEqual([]);
    await world.peer.tell(subscribed(3, 0, { epoch: 'f' }), event(1, { data: 'new' }));
    expect(seen()).toEqual(['start a@f:0', 'event a@f:1 "new"']);
  });

  it('[L-3.9] an end by the server reports code and reason, and a reconnect does not undo it', async () => {
    const client = await world.openClient();
    let error: unknown;
    client.subscribe('a', (message) => {
      world.app(message);
      if (message.type === 'end') error = message.error;
    });
    await world.peer.tell(subscribed(1, 4), {
      type: 'unsubscribed',
      topic: 'a',
      code: 'forbidden',
      reason: 'revoked',
    });
    await world.peer.tell(event(5));
    expect(seen().slice(2)).toEqual(['end a LiveError: revoked']);
    expect(error).toMatchObject({ code: 'forbidden', message: 'revoked' });
    await reconnect();
    expect(seen().at(-1)).toBe('status open');
  });

  it('[L-3.12] after an authorization check that failed temporarily, the client subscribes again from its position when the server says', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    const told = { type: 'unsubscribed', topic: 'a', code: 'unavailable', reason: 'could not be checked' };
    await world.peer.tell(subscribed(1, 4), event(5), { ...told, retryAfterMs: 3_000 });
    world.take();
    await world.advance(3_749);
    expect(seen()).toEqual([]);
    await world.advance(1);
    expect(seen()).toEqual(['> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":5}}']);
    await world.peer.tell(subscribed(2, 5, { recovered: true }), event(6));
    expect(seen().at(-1)).toContain('event a@e:6');
  });

  it('[L-3.3] a permanent error ends the subscription', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell({ type: 'error', id: 1, code: 'forbidden', message: 'Forbidden', topic: 'a' });
    await world.advance(3_600_000);
    expect(seen()).toEqual(['> {"type":"subscribe","id":1,"topic":"a"}', 'end a LiveError: Forbidden']);
  });

  it('a temporary error does not end a subscription: the subscribe is retried with back-off', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell({ type: 'error', id: 1, code: 'unavailable', message: 'Later', topic: 'a' });
    await world.advance(749);
    expect(seen().slice(1)).toEqual(['error LiveError: Later', 'waiting a 750 after unavailable']);
    await world.advance(1);
    expect(seen()).toEqual(['> {"type":"subscribe","id":2,"topic":"a"}']);
    await world.peer.tell({
      type: 'error',
      id: 2,
      code: 'rate-limited',
      message: 'Later',
      retryAfterMs: 3_000,
    });
    await world.advance(3_999);
    expect(seen()).toEqual(['waiting a 4000 after rate-limited']);
    await world.advance(1);
    await world.peer.tell(subscribed(3, 4));
    expect(seen()).toEqual(['> {"type":"subscribe","id":3,"topic":"a"}', 'start a@e:4']);
  });

  it('the back-off of a subscribe is reset by an answer', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    const later = (id: number) => ({ type: 'error', id, code: 'unavailable', message: 'Later', topic: 'a' });
    await world.peer.tell(later(1));
    await world.advance(750);
    await world.peer.tell(later(2));
    await world.advance(1_000);
    await world.peer.tell(subscribed(3, 4));
    await reconnect();
    await world.peer.tell(later(4));
    world.take();
    await world.advance(750);
    expect(seen()).toHaveLength(1);
  });

  it('[L-3.9] a late answer to an unsubscribe does not end the subscription', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4), { type: 'unsubscribed', id: 99, topic: 'a' }, event(5));
    expect(seen().at(-1)).toBe('event a@e:5 50');
  });

  it('an answer without a valid position is reported and does not end the subscription', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, -1));
    await world.peer.tell(subscribed(1, 1));
    expect(seen().slice(1)).toEqual(['error Error: The server sent an invalid position', 'start a@e:1']);
  });

  it('without an answer the link is checked, and the same request is sent again under the same id', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.advance(12_000);
    expect(seen()).toEqual(['> {"type":"subscribe","id":1,"topic":"a"}', '> {"type":"ping","id":2}']);
    await world.peer.tell({ type: 'pong', id: 2 });
    expect(seen()).toEqual(['> {"type":"subscribe","id":1,"topic":"a"}']);
    await world.peer.tell(subscribed(1, 3), subscribed(1, 5), event(6));
    expect(seen()).toEqual([
      'start a@e:3',
      '> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":3}}',
    ]);
  });

  it('a second answer in a new epoch makes the client catch up, because its offsets say nothing there', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.advance(12_000);
    await world.peer.tell({ type: 'pong', id: 2 });
    seen();
    await world.peer.tell(subscribed(1, 3), { ...subscribed(1, 0), epoch: 'f' });
    expect(seen()).toEqual([
      'start a@e:3',
      '> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":3}}',
    ]);
    await world.peer.tell({ ...subscribed(3, 0), epoch: 'f' }, event(1));
    expect(seen()).toEqual(['lost unrecovered a@f:0', 'event a@f:1 10']);
  });

  it('a refusal as the second answer makes the client subscribe again, because it ended the subscription', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.advance(12_000);
    await world.peer.tell({ type: 'pong', id: 2 });
    seen();
    const refusal = { type: 'error', id: 1, code: 'unavailable', message: 'Later', topic: 'a' };
    await world.peer.tell(subscribed(1, 3), refusal, event(4));
    expect(seen()).toEqual(['start a@e:3', 'error LiveError: Later', 'waiting a 750 after unavailable']);
    await world.advance(750);
    expect(seen()).toEqual(['> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":3}}']);
  });

  it("[L-9.3] a client repeats a request only after the server's own time limit has passed", async () => {
    const client = await world.client();
    const limits = { maxMessageBytes: 65_536, maxTopics: 128, pingIntervalMs: 1e12, answerTimeoutMs: 28_000 };
    await world.peer.welcome({ limits });
    client.subscribe('a', world.app);
    seen();
    for (const id of [2, 3]) {
      await world.advance(10_000);
      await world.peer.tell({ type: 'pong', id });
    }
    expect(seen()).toEqual(['> {"type":"ping","id":2}', '> {"type":"ping","id":3}']);
    await world.advance(10_000);
    await world.peer.tell({ type: 'pong', id: 4 });
    expect(seen()).toEqual(['> {"type":"ping","id":4}', '> {"type":"subscribe","id":1,"topic":"a"}']);
    await world.peer.tell(subscribed(1, 3));
    expect(seen()).toEqual(['start a@e:3']);
  });

  it('[L-10.3] a permanent close of the connection ends the subscription', async () => {
    const client = await world.openClient();
    const errors: unknown[] = [];
    client.subscribe('a', (message) => message.type === 'end' && errors.push(message.error));
    await world.peer.end(4503, 'logged out');
    expect(errors).toMatchObject([{ code: 'closed', close: { code: 4503, reason: 'logged out' } }]);
    expect(errors[0]).not.toBeInstanceOf(LiveError);
  });

  it('a subscription ends without an error when the application closes the client', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    world.take();
    client.close();
    expect(world.take()).toEqual([
      'close 1000 closed by the application',
      'status closed 1000 closed by the application',
      'end a',
    ]);
  });

  it('a listener may subscribe again when its subscription ends', async () => {
    const client = await world.openClient();
    client.subscribe('a', (message) => {
      if (message.type === 'end') client.subscribe('a', world.app);
    });
    await world.peer.tell(subscribed(1, 4), {
      type: 'unsubscribed',
      topic: 'a',
      code: 'forbidden',
      reason: 'revoked',
    });
    await world.peer.tell(subscribed(2, 5), event(6));
    expect(seen().slice(1)).toEqual([
      '> {"type":"subscribe","id":2,"topic":"a"}',
      'start a@e:5',
      'event a@e:6 60',
    ]);
  });

  it('a listener that throws does not end its subscription', async () => {
    const client = await world.openClient();
    client.subscribe('a', () => {
      throw new Error('mine');
    });
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(1, 4));
    expect(seen().slice(1)).toEqual(['error Error: mine', 'start a@e:4']);
  });
});

describe('two subscriptions to one topic', () => {
  const first = (message: Parameters<World['app']>[0]): void => {
    world.app(message);
    world.log.push(`1 ${String(world.log.pop())}`);
  };
  const second = (message: Parameters<World['app']>[0]): void => {
    world.app(message);
    world.log.push(`2 ${String(world.log.pop())}`);
  };

  it('two subscriptions share one on the server, and the last to leave unsubscribes', async () => {
    const client = await world.openClient();
    const one = client.subscribe('a', first);
    const two = client.subscribe('a', second);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }), event(5));
    one.unsubscribe();
    await world.peer.tell(event(6));
    two.unsubscribe();
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":1,"topic":"a"}',
      '1 start a@e:4 snapshot 4',
      '2 start a@e:4 snapshot 4',
      '1 event a@e:5 50',
      '2 event a@e:5 50',
      '2 event a@e:6 60',
      '> {"type":"unsubscribe","id":2,"topic":"a"}',
    ]);
  });

  it('without snapshots a second subscription starts at the position of the first, without a request', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4), event(5));
    client.subscribe('a', second);
    await world.peer.tell(event(6));
    expect(seen().slice(1)).toEqual([
      '1 start a@e:4',
      '1 event a@e:5 50',
      '2 start a@e:5',
      '1 event a@e:6 60',
      '2 event a@e:6 60',
    ]);
  });

  it('[L-3.5] a second subscription requests a fresh snapshot, and the first does not notice', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }), event(5));
    client.subscribe('a', second);
    // The snapshot was already being made: its position is before what the first has seen.
    await world.peer.tell(event(6), subscribed(2, 5, { snapshot: 5 }), event(6), event(7));
    expect(seen().slice(1)).toEqual([
      '1 start a@e:4 snapshot 4',
      '1 event a@e:5 50',
      '> {"type":"subscribe","id":2,"topic":"a"}',
      '1 event a@e:6 60',
      '2 start a@e:5 snapshot 5',
      '2 event a@e:6 60',
      '1 event a@e:7 70',
      '2 event a@e:7 70',
    ]);
  });

  it('the first subscription loses nothing if the start of the second is ahead of it', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }));
    client.subscribe('a', second);
    world.take();
    await world.peer.tell(subscribed(2, 6, { snapshot: 6 }), event(7));
    expect(seen()).toEqual([
      '2 start a@e:6 snapshot 6',
      '> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":4}}',
      '2 event a@e:7 70',
    ]);
    await world.peer.tell(subscribed(3, 4, { recovered: true }), event(5), event(6), event(7), event(8));
    expect(seen()).toEqual([
      '1 event a@e:5 50',
      '1 event a@e:6 60',
      '1 event a@e:7 70',
      '1 event a@e:8 80',
      '2 event a@e:8 80',
    ]);
  });

  it('two subscriptions that cannot be recovered both report a loss and do not subscribe in turn forever', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }));
    client.subscribe('a', second);
    world.take();
    await world.peer.tell(subscribed(2, 6, { snapshot: 6 }), subscribed(3, 9, { snapshot: 9 }), event(10));
    expect(seen()).toEqual([
      '2 start a@e:6 snapshot 6',
      '> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":4}}',
      '1 lost unrecovered 5-9 (5) a@e:9 snapshot 9',
      '2 lost unrecovered 7-9 (3) a@e:9 snapshot 9',
      '1 event a@e:10 100',
      '2 event a@e:10 100',
    ]);
  });

  it('after a reconnect, two subscriptions resume from the earlier position', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }));
    client.subscribe('a', second);
    await reconnect();
    world.take();
    await world.peer.tell(subscribed(3, 4, { recovered: true }), event(5), subscribed(4, 5, { snapshot: 5 }));
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":4,"topic":"a"}',
      '1 event a@e:5 50',
      '2 start a@e:5 snapshot 5',
    ]);
  });

  it('a second subscription with an older position and the first one each get what they miss', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4));
    world.take();
    client.subscribe('a', second, { since: { epoch: 'e', offset: 2 } });
    await world.peer.tell(subscribed(2, 2, { recovered: true }), event(3), event(4), event(5));
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":2}}',
      '2 start a@e:2 recovered',
      '2 event a@e:3 30',
      '2 event a@e:4 40',
      '1 event a@e:5 50',
      '2 event a@e:5 50',
    ]);
  });

  it('only the subscription with a position in a lost stream reports a loss', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4));
    world.take();
    client.subscribe('a', second, { since: { epoch: 'old', offset: 2 } });
    await world.peer.tell(subscribed(2, 4), event(5));
    expect(seen().slice(1)).toEqual(['2 lost unrecovered a@e:4', '1 event a@e:5 50', '2 event a@e:5 50']);
  });

  it('a subscription in a lost stream reports the loss when another one continues in the new stream', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4));
    client.subscribe('a', second, { since: { epoch: 'f', offset: 2 } });
    world.take();
    await world.peer.tell(subscribed(2, 2, { epoch: 'f', recovered: true }), event(3));
    expect(seen()).toEqual([
      '1 lost new-epoch a@f:2',
      '2 start a@f:2 recovered',
      '1 event a@f:3 30',
      '2 event a@f:3 30',
    ]);
  });

  it('a subscription in a lost stream requests a snapshot if the topic has snapshots', async () => {
    const client = await world.openClient();
    client.subscribe('a', first);
    await world.peer.tell(subscribed(1, 4, { snapshot: 4 }));
    client.subscribe('a', second, { since: { epoch: 'f', offset: 2 } });
    world.take();
    await world.peer.tell(subscribed(2, 2, { epoch: 'f', recovered: true }), event(3));
    await world.peer.tell(subscribed(3, 3, { epoch: 'f', snapshot: 3 }), event(4));
    expect(seen()).toEqual([
      '2 start a@f:2 recovered',
      '> {"type":"subscribe","id":3,"topic":"a"}',
      '2 event a@f:3 30',
      '1 lost new-epoch a@f:3 snapshot 3',
      '1 event a@f:4 40',
      '2 event a@f:4 40',
    ]);
  });

  it('a subscription that another one ends does not get its start', async () => {
    const client = await world.openClient();
    client.subscribe('a', () => {});
    await world.peer.tell(subscribed(1, 4), event(6));
    client.subscribe('a', (message) => {
      first(message);
      two.unsubscribe();
    });
    const two = client.subscribe('a', second);
    world.take();
    await world.peer.tell(subscribed(2, 4, { recovered: true }), event(5));
    expect(seen()).toEqual(['1 start a@e:4', '1 event a@e:5 50']);
  });

  it('a listener may subscribe and unsubscribe to its own topic', async () => {
    const client = await world.openClient();
    const one = client.subscribe('a', (message) => {
      first(message);
      if (message.type !== 'event') return;
      client.subscribe('a', second);
      one.unsubscribe();
    });
    await world.peer.tell(subscribed(1, 4), event(5), event(6));
    expect(seen().slice(1)).toEqual([
      '1 start a@e:4',
      '1 event a@e:5 50',
      '2 start a@e:5',
      '2 event a@e:6 60',
    ]);
  });
});

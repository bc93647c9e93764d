import { beforeEach, describe, expect, it } from 'vitest';
import { line, World } from '../../test/support/client-world.js';
import type { IterableSubscription, TopicMessage } from './index.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const event = (offset: number, more: object = {}) => ({
  type: 'event',
  topic: 'a',
  offset,
  data: offset,
  ...more,
});
const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index));
const subscribed = (id: number, offset: number, more: object = {}) => ({
  type: 'subscribed',
  id,
  topic: 'a',
  epoch: 'e',
  offset,
  recovered: false,
  ...more,
});

/** Reads `count` messages. */
async function read(subscription: IterableSubscription<TopicMessage>, count: number): Promise<string[]> {
  const lines: string[] = [];
  const iterator = subscription[Symbol.asyncIterator]();
  while (lines.length < count) {
    const result = await iterator.next();
    if (result.done) return [...lines, 'done'];
    lines.push(line(result.value));
  }
  return lines;
}

describe('iterating over a subscription', () => {
  it('an iterator yields the messages that a listener gets, and queues them until they are read', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a');
    await world.peer.tell(subscribed(1, 4, { snapshot: 'S' }), event(5));
    expect(await read(subscription, 2)).toEqual(['start a@e:4 snapshot "S"', 'event a@e:5 5']);
    const later = read(subscription, 2);
    await world.peer.tell(event(6), event(7));
    expect(await later).toEqual(['event a@e:6 6', 'event a@e:7 7']);
  });

  it('concurrent readers of an iterator get one message each, in order', async () => {
    const client = await world.openClient();
    const iterator = client.subscribe('a')[Symbol.asyncIterator]();
    const both = Promise.all([iterator.next(), iterator.next()]);
    await world.peer.tell(subscribed(1, 4), event(5));
    expect((await both).map(({ value }) => value && line(value))).toEqual(['start a@e:4', 'event a@e:5 5']);
  });

  it('leaving the loop of an iterator unsubscribes', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a');
    await world.peer.tell(subscribed(1, 4), event(5));
    for await (const message of subscription) if (message.type === 'start') break;
    expect(world.take().at(-1)).toBe('> {"type":"unsubscribe","id":2,"topic":"a"}');
    expect(await read(subscription, 1)).toEqual(['done']);
  });

  it('unsubscribing ends a waiting reader of an iterator', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a');
    const waiting = read(subscription, 1);
    subscription.unsubscribe();
    expect(await waiting).toEqual(['done']);
  });

  it('[L-3.9] an iterator throws the error that ended it once, after all earlier messages', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a');
    await world.peer.tell(subscribed(1, 4), {
      type: 'unsubscribed',
      topic: 'a',
      code: 'forbidden',
      reason: 'revoked',
    });
    expect(await read(subscription, 1)).toEqual(['start a@e:4']);
    await expect(read(subscription, 1)).rejects.toMatchObject({ name: 'LiveError', code: 'forbidden' });
    expect(await read(subscription, 1)).toEqual(['done']);
  });

  it('an error is thrown to one waiting reader of an iterator and ends the others', async () => {
    const client = await world.openClient();
    const iterator = client.subscribe('a')[Symbol.asyncIterator]();
    const both = Promise.allSettled([iterator.next(), iterator.next()]);
    await world.peer.end(4503, 'logged out');
    expect(await both).toMatchObject([
      { status: 'rejected', reason: { code: 'closed', close: { code: 4503 } } },
      { status: 'fulfilled', value: { done: true } },
    ]);
  });

  it('an iterator finishes without an error when the client is closed', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a');
    await world.peer.tell(subscribed(1, 4));
    client.close();
    expect(await read(subscription, 9)).toEqual(['start a@e:4', 'done']);
  });
});

describe('an iterator that is not read fast enough', () => {
  it('a slow iterator keeps 1,000 messages and reports in their place which ones it dropped', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a');
    await world.peer.tell(subscribed(1, 0), ...events(1, 2_500));
    const lines = await read(subscription, 1_000);
    expect(lines.slice(0, 3)).toEqual([
      'start a@e:0',
      'lost overflow 1-1502 (1502) a@e:1502',
      'event a@e:1503 1503',
    ]);
    expect(lines.at(-1)).toBe('event a@e:2500 2500');
    const rest = read(subscription, 1);
    await world.peer.tell(event(2_501));
    expect(await rest).toEqual(['event a@e:2501 2501']);
  });

  it('an iterator that is exactly full loses nothing', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a', { maxQueued: 3 });
    await world.peer.tell(subscribed(1, 0), ...events(1, 2));
    expect(await read(subscription, 3)).toEqual(['start a@e:0', 'event a@e:1 1', 'event a@e:2 2']);
  });

  it('the loss notice of an iterator counts the publications that a merged one covers', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a', { maxQueued: 2 });
    await world.peer.tell(subscribed(1, 0), event(4, { from: 1 }), event(5), event(9, { from: 6 }));
    expect(await read(subscription, 2)).toEqual(['start a@e:0', 'lost overflow 1-9 (9) a@e:9']);
  });

  it('losses of an iterator before and after a new start are reported separately', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a', { maxQueued: 4 });
    await world.peer.tell(subscribed(1, 0), event(1), event(2));
    await world.peer.end();
    await world.advance(750);
    await world.peer.welcome();
    await world.peer.tell(subscribed(2, 9), ...events(10, 12));
    expect(await read(subscription, 4)).toEqual([
      'start a@e:0',
      'lost overflow 1-2 (2) a@e:2',
      'lost unrecovered 3-9 (7) a@e:9',
      'lost overflow 10-12 (3) a@e:12',
    ]);
  });

  it('the queue of an iterator is bounded even if only new starts arrive', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a', { maxQueued: 2 });
    await world.peer.tell(subscribed(1, 0));
    for (const epoch of ['f', 'g', 'h']) {
      await world.peer.tell({ type: 'subscribed', topic: 'a', epoch, offset: 0, recovered: false });
    }
    expect(await read(subscription, 2)).toEqual(['lost new-epoch a@g:0', 'lost new-epoch a@h:0']);
  });
});

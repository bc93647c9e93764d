import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';
import { type Collection, collection, type CollectionOptions, LiveClientError, LiveError } from './index.js';

let world: World;
/** Runs what the collection has scheduled for the next frame. */
let frames: (() => void)[];
beforeEach(() => {
  world = new World();
  frames = [];
});

const subscribed = (id: number | undefined, offset: number, snapshot?: object, epoch = 'e') => ({
  type: 'subscribed',
  ...(id !== undefined && { id }),
  topic: 'a',
  epoch,
  offset,
  recovered: false,
  ...(snapshot && { snapshot }),
});
const set = (offset: number, key: string, data: unknown) => ({
  type: 'event',
  topic: 'a',
  offset,
  data,
  key,
});
const remove = (offset: number, key: string) => ({ type: 'event', topic: 'a', offset, removed: true, key });

async function opened(options: CollectionOptions = {}) {
  const client = await world.openClient();
  const cars = collection(client, 'a', { schedule: (run) => void frames.push(run), ...options });
  const told: string[][] = [];
  cars.onChange(({ keys }) => void told.push([...keys].toSorted()));
  await world.settle();
  return { client, cars, told };
}

function frame(): void {
  for (const run of frames.splice(0)) run();
}

const content = (cars: Collection): unknown => Object.fromEntries(cars);

async function reconnect(): Promise<void> {
  await world.peer.end();
  await world.advance(750);
  await world.peer.welcome();
}

describe('collection', () => {
  it('[L-6.5] a collection begins with the snapshot, and follows publications and removals', async () => {
    const { cars } = await opened();
    expect(cars.stale).toBe(true);
    await world.peer.tell(subscribed(1, 4, { x: 1, y: 2 }), set(5, 'z', 3), remove(6, 'x'), set(7, 'y', 4));
    await cars.ready;
    expect(content(cars)).toEqual({ y: 4, z: 3 });
    expect([cars.size, cars.get('y'), cars.get('x'), cars.stale]).toEqual([2, 4, undefined, false]);
    expect([...cars.entries()]).toEqual([...cars]);
  });

  it('[L-6.5] a collection of a topic without publications is empty and whole', async () => {
    const { cars } = await opened();
    await world.peer.tell(subscribed(1, 0));
    await cars.ready;
    expect([cars.size, cars.stale]).toEqual([0, false]);
  });

  it('[L-6.5] a second collection of a topic that was empty at first gets the snapshot that there is now', async () => {
    const { client } = await opened();
    await world.peer.tell(subscribed(1, 0), set(1, 'x', 1));
    const second = collection(client, 'a');
    await world.settle();
    await world.peer.tell(subscribed(2, 1, { x: 1 }));
    await second.ready;
    expect(content(second)).toEqual({ x: 1 });
  });

  it('[L-4.1] listeners of a collection are told once a frame which keys changed', async () => {
    const { cars, told } = await opened();
    await world.peer.tell(subscribed(1, 4, { x: 1, y: 2 }));
    expect(told).toEqual([]);
    frame();
    await world.peer.tell(set(5, 'y', 3), set(6, 'z', 1), set(7, 'y', 4), remove(8, 'x'));
    expect(cars.get('y')).toBe(4);
    frame();
    frame();
    expect(told).toEqual([
      ['x', 'y'],
      ['x', 'y', 'z'],
    ]);
  });

  it('[L-5.2] a collection is stale while the connection is down, and keeps its content', async () => {
    const { cars, told } = await opened();
    await world.peer.tell(subscribed(1, 4, { x: 1 }));
    frame();
    await world.peer.end();
    frame();
    expect([cars.stale, content(cars)]).toEqual([true, { x: 1 }]);
    await world.advance(750);
    await world.peer.welcome();
    expect(cars.stale).toBe(true);
    await world.peer.tell({ ...subscribed(2, 4), recovered: true }, set(5, 'x', 2));
    frame();
    expect([cars.stale, content(cars)]).toEqual([false, { x: 2 }]);
    expect(told).toEqual([['x'], [], ['x']]);
  });

  it('[L-5.3] the new state after an unrecoverable outage replaces the old one in one change', async () => {
    const { cars, told } = await opened();
    const [same, old] = [{ n: 1 }, { n: 2 }];
    await world.peer.tell(subscribed(1, 4, { same, changed: old, gone: 3 }));
    frame();
    const before = cars.get('same');
    await reconnect();
    expect(content(cars)).toEqual({ same, changed: old, gone: 3 });
    frame();
    await world.peer.tell(subscribed(2, 9, { same, changed: { n: 9 }, fresh: 5 }));
    frame();
    expect(content(cars)).toEqual({ same, changed: { n: 9 }, fresh: 5 });
    expect(cars.get('same')).toBe(before);
    expect(told).toEqual([['changed', 'gone', 'same'], [], ['changed', 'fresh', 'gone']]);
  });

  it('[L-5.7] [L-5.8] a loss makes a collection stale until the pushed snapshot replaces the state', async () => {
    const { cars } = await opened();
    await world.peer.tell(subscribed(1, 4, { x: 1, y: 1 }));
    await world.peer.tell({ type: 'lost', topic: 'a', from: 5, to: 7, count: 3 });
    expect([cars.stale, content(cars)]).toEqual([true, { x: 1, y: 1 }]);
    await world.peer.tell(subscribed(undefined, 7, { y: 2 }));
    expect([cars.stale, content(cars)]).toEqual([false, { y: 2 }]);
    await world.peer.tell(subscribed(undefined, 0, undefined, 'f'), set(1, 'z', 1));
    expect([cars.stale, content(cars)]).toEqual([false, { z: 1 }]);
  });

  it('[L-5.8] a loss on a topic that began without publications leaves the collection stale until the snapshot', async () => {
    const { cars } = await opened();
    await world.peer.tell(subscribed(1, 0), set(1, 'x', 1));
    await world.peer.tell({ type: 'lost', topic: 'a', from: 2, to: 7, count: 6 });
    expect([cars.stale, content(cars)]).toEqual([true, { x: 1 }]);
    await world.peer.tell(subscribed(undefined, 7, { y: 2 }));
    expect([cars.stale, content(cars)]).toEqual([false, { y: 2 }]);
  });

  it('[L-5.14] a stream that goes on under another epoch changes nothing in a collection', async () => {
    const { cars } = await opened();
    await world.peer.tell(subscribed(1, 4, { x: 1 }));
    await world.peer.tell({ ...subscribed(undefined, 4, undefined, 'f'), recovered: true }, set(5, 'y', 1));
    expect([cars.stale, content(cars)]).toEqual([false, { x: 1, y: 1 }]);
  });

  it('[L-4.3] a publication without a key does not change a collection', async () => {
    const { cars, told } = await opened();
    await world.peer.tell(subscribed(1, 4, { x: 1 }), { type: 'event', topic: 'a', offset: 5, data: 7 });
    frame();
    expect([content(cars), told]).toEqual([{ x: 1 }, [['x']]]);
  });

  it('[L-6.1] `entries` reads a snapshot of the application', async () => {
    const { cars } = await opened({
      entries: (rows: readonly { readonly id: string }[]) => rows.map((row) => [row.id, row] as const),
    });
    await world.peer.tell(subscribed(1, 4, [{ id: 'x' }, { id: 'y' }]), remove(5, 'x'));
    expect(content(cars)).toEqual({ y: { id: 'y' } });
  });

  it('[L-6.1] `ready` rejects for a topic without a snapshot', async () => {
    const { cars } = await opened();
    await world.peer.tell(subscribed(1, 4));
    await expect(cars.ready).rejects.toThrow('a has no snapshot, so its state is unknown');
    expect(cars.stale).toBe(true);
  });

  it('[L-3.3] `ready` rejects and `error` tells why if the server refuses, and listeners are told', async () => {
    const { cars, told } = await opened();
    await world.peer.tell({ type: 'error', id: 1, topic: 'a', code: 'forbidden', message: 'No' });
    await expect(cars.ready).rejects.toEqual(new LiveError('forbidden', 'No'));
    frame();
    expect([cars.stale, cars.error, told]).toEqual([true, new LiveError('forbidden', 'No'), [[]]]);
  });

  it('[L-3.6] a closed collection unsubscribes, is stale, and rejects `ready`', async () => {
    const { cars, client } = await opened();
    cars.close();
    cars.close();
    await expect(cars.ready).rejects.toBeInstanceOf(LiveClientError);
    await world.settle();
    expect(world.take()).toContain('> {"type":"unsubscribe","id":2,"topic":"a"}');
    expect([cars.stale, cars.error]).toEqual([true, undefined]);
    client.close();
    expect(world.timerCount).toBe(0);
  });

  it('[L-10.7] a collection is not stale while its client changes connections', async () => {
    const { cars } = await opened();
    await world.peer.tell(subscribed(1, 4, { x: 1 }));
    const seen: boolean[] = [];
    cars.onChange(() => void seen.push(cars.stale));
    frame();
    const old = world.peer;
    await old.tell({ type: 'draining', reconnectAfterMs: 0, windowMs: 0 });
    await world.advance(1);
    await world.peer.welcome();
    await old.tell(set(5, 'x', 2));
    expect([cars.stale, cars.get('x')]).toEqual([false, 2]);
    await world.peer.tell({ ...subscribed(2, 4), recovered: true }, set(5, 'x', 2), set(6, 'x', 3));
    frame();
    expect([cars.stale, cars.get('x'), seen]).toEqual([false, 3, [false, false]]);
  });
});

const paged = (id: number | undefined, offset: number, epoch?: string) => ({
  ...subscribed(id, offset, undefined, epoch),
  pages: true,
});
const page = (snapshot: object, last = false) => ({
  type: 'page',
  topic: 'a',
  snapshot,
  ...(last && { last }),
});
const lost = (from: number, to: number) => ({ type: 'lost', topic: 'a', from, to, count: to - from + 1 });

describe('a collection with the limits of the server', () => {
  const limits = { maxKeys: 3, maxBytes: 1_000, maxKeyAgeMs: 1_000 };
  const listed = (id: number | undefined, offset: number, entries: object, ...list: unknown[]) => ({
    ...subscribed(id, offset, list),
    entries,
  });

  it('[L-6.11] a collection drops each key when it is older than the limit, and reports it', async () => {
    const { cars, told } = await opened();
    await world.peer.tell(listed(1, 4, limits, ['x', 1, 990], ['y', 2, 500], ['z', 3, 0]));
    expect(content(cars)).toEqual({ x: 1, y: 2, z: 3 });
    expect(world.timerCount).toBe(2);
    frame();
    await world.advance(10);
    expect(cars.size).toBe(3);
    await world.advance(1);
    expect(content(cars)).toEqual({ y: 2, z: 3 });
    await world.peer.tell(set(5, 'y', 4));
    await world.advance(988);
    frame();
    expect(content(cars)).toEqual({ y: 4, z: 3 });
    await world.advance(2);
    expect(content(cars)).toEqual({ y: 4 });
    await world.advance(11);
    frame();
    expect([cars.size, cars.stale, told]).toEqual([
      0,
      false,
      [
        ['x', 'y', 'z'],
        ['x', 'y'],
        ['y', 'z'],
      ],
    ]);
  });

  it('[L-6.11] a collection keeps a key whose age the server does not know', async () => {
    const { cars } = await opened();
    await world.peer.tell(listed(1, 4, limits, ['x', 1], ['y', 2, 500]));
    await world.advance(5_000);
    expect(content(cars)).toEqual({ x: 1 });
  });

  it('[L-6.11] a collection drops the key published longest ago beyond the limit of keys', async () => {
    const { cars } = await opened();
    await world.peer.tell(listed(1, 4, { ...limits, maxKeyAgeMs: undefined }, ['9', 1], ['x', 1], ['1', 1]));
    await world.peer.tell(set(5, '9', 2), set(6, 'y', 1));
    expect(content(cars)).toEqual({ '9': 2, '1': 1, y: 1 });
    await world.peer.tell(remove(7, '1'), set(8, 'z', 1));
    expect(content(cars)).toEqual({ '9': 2, y: 1, z: 1 });
    await world.advance(60_000);
    expect(cars.size).toBe(3);
  });

  it('[L-6.11] a collection drops keys beyond the limit of bytes, but not the last one', async () => {
    const { cars } = await opened();
    await world.peer.tell(listed(1, 4, { maxKeys: 10, maxBytes: 10 }, ['x', 'ä'], ['y', 12]));
    await world.peer.tell(set(5, 'z', 1234));
    expect(content(cars)).toEqual({ x: 'ä', y: 12, z: 1234 });
    await world.peer.tell(set(6, 'y', 123));
    expect(content(cars)).toEqual({ y: 123, z: 1234 });
    await world.peer.tell(set(7, 'w', 'much too long'));
    expect(content(cars)).toEqual({ w: 'much too long' });
  });

  it('[L-5.2] [L-6.11] a replayed publication counts from its arrival, so its key stays longer by the outage', async () => {
    const { cars } = await opened();
    await world.peer.tell(listed(1, 4, limits, ['x', 1, 0], ['y', 1, 0]));
    await reconnect();
    await world.peer.tell({ ...subscribed(2, 4), recovered: true }, set(5, 'x', 2));
    await world.advance(260);
    expect(content(cars)).toEqual({ x: 2 });
    await world.advance(739);
    expect(content(cars)).toEqual({ x: 2 });
    await world.advance(3);
    expect([cars.size, cars.stale]).toEqual([0, false]);
  });

  it('[L-5.7] [L-6.11] a snapshot after a loss has ages and limits of its own', async () => {
    const { cars } = await opened();
    await world.peer.tell(listed(1, 4, limits, ['x', 1, 0]));
    await world.peer.tell(listed(undefined, 7, { ...limits, maxKeyAgeMs: 200 }, ['x', 1, 150], ['y', 1, 0]));
    await world.advance(51);
    expect(content(cars)).toEqual({ y: 1 });
    await world.peer.tell(subscribed(undefined, 9, { z: 1 }));
    await world.advance(60_000);
    expect(content(cars)).toEqual({ z: 1 });
  });

  it('[L-6.10] [L-6.11] the pages of a list are one list', async () => {
    const { cars } = await opened();
    const page = { type: 'page', topic: 'a' };
    await world.peer.tell({ ...subscribed(1, 4), entries: limits, pages: true });
    await world.peer.tell(
      { ...page, snapshot: [['x', 1, 900]] },
      { ...page, last: true, snapshot: [['y', 1, 0]] },
    );
    await world.advance(101);
    expect(content(cars)).toEqual({ y: 1 });
  });

  it('[L-6.11] other subscriptions of the topic get an object, and `entries` too', async () => {
    const entries = (state: object) => Object.entries(state).map(([key, n]) => [`car ${key}`, n] as const);
    const { client, cars } = await opened({ entries });
    const seen: unknown[] = [];
    client.subscribe('a', (message) => void seen.push(message));
    await world.peer.tell(listed(1, 4, limits, ['x', 1, 0], ['__proto__', 2, 0]));
    expect(seen).toMatchObject([{ type: 'start', snapshot: { x: 1, ['__proto__']: 2 } }]);
    expect(content(cars)).toEqual({ 'car x': 1, 'car __proto__': 2 });
  });

  it('[L-6.11] a collection does not begin with the answer to a request of before it', async () => {
    const client = await world.openClient();
    const seen: unknown[] = [];
    client.subscribe('a', (message) => void seen.push(message));
    await world.settle();
    const cars = collection(client, 'a', { schedule: (run) => void frames.push(run) });
    await world.settle();
    await world.peer.tell(subscribed(1, 4, { x: 1 }));
    expect([seen.length, cars.stale]).toEqual([1, true]);
    await world.peer.tell(subscribed(undefined, 5, { x: 2 }), listed(2, 5, limits, ['x', 2, 0]));
    expect([seen.length, content(cars), cars.stale]).toEqual([2, { x: 2 }, false]);
    await world.advance(1_001);
    expect(cars.size).toBe(0);
  });

  it('[L-6.11] a closed collection and a closed client leave no timer', async () => {
    const { client, cars } = await opened();
    const other = collection(client, 'a', { schedule: (run) => void frames.push(run) });
    await world.peer.tell(listed(1, 4, limits, ['x', 1, 0]));
    cars.close();
    client.close();
    expect([world.timerCount, content(cars), content(other)]).toEqual([0, { x: 1 }, { x: 1 }]);
  });
});

describe('a snapshot in pages', () => {
  it('[L-6.10] a collection asks for pages, and shows nothing of them before the last', async () => {
    const { cars, told } = await opened();
    expect(world.take()).toContain('> {"type":"subscribe","id":1,"topic":"a","pages":true,"entries":true}');
    await world.peer.tell(paged(1, 4), page({ x: 1, ['__proto__']: 2 }), set(5, 'z', 3), page({ y: 2 }));
    expect([cars.size, cars.stale, frames.length]).toEqual([0, true, 0]);
    await world.peer.tell(remove(6, 'y'), page({ w: 4 }, true), set(7, 'w', 5));
    await cars.ready;
    expect([...cars]).toEqual([
      ['x', 1],
      ['__proto__', 2],
      ['w', 5],
      ['z', 3],
    ]);
    frame();
    expect(told).toEqual([['__proto__', 'w', 'x', 'y', 'z']]);
  });

  it('[L-6.10] a collection keeps its old state until the last page of a new one', async () => {
    const { cars } = await opened();
    await world.peer.tell(subscribed(1, 4, { x: 1, y: 1 }));
    await reconnect();
    await world.peer.tell(paged(2, 9), page({ x: 2 }));
    expect([content(cars), cars.stale]).toEqual([{ x: 1, y: 1 }, true]);
    await world.advance(6_000);
    await reconnect();
    await world.peer.tell(paged(3, 12), page({ z: 1 }), page({}, true));
    expect([content(cars), cars.stale]).toEqual([{ z: 1 }, false]);
  });

  it('[L-6.10] another start ends the pages of the one before', async () => {
    const { cars } = await opened();
    await world.peer.tell(paged(1, 4), page({ x: 1 }), set(5, 'z', 3));
    await world.peer.tell({ type: 'lost', topic: 'a', from: 6, to: 8, count: 3 });
    await world.peer.tell(subscribed(undefined, 8, { y: 1 }), page({ x: 7 }, true));
    expect([content(cars), cars.stale]).toEqual([{ y: 1 }, false]);
  });

  it('[L-3.9] [L-6.10] the end of the subscription ends the pages', async () => {
    const { cars } = await opened();
    await world.peer.tell(paged(1, 4), page({ x: 1 }));
    const ended = { type: 'unsubscribed', topic: 'a', reason: 'Later' };
    await world.peer.tell({ ...ended, code: 'unavailable', retryAfterMs: 100 });
    await world.advance(1_000);
    await world.peer.tell(paged(2, 4), page({ x: 2 }), { ...ended, code: 'forbidden' });
    expect([cars.size, cars.error]).toEqual([0, new LiveError('forbidden', 'Later')]);
  });

  it('[L-5.14] [L-6.10] a new epoch between two pages belongs to what follows them', async () => {
    const { cars } = await opened();
    await world.peer.tell(paged(1, 4), page({ x: 1 }), set(5, 'x', 2));
    await world.peer.tell({ ...subscribed(undefined, 5, undefined, 'f'), recovered: true }, set(6, 'x', 3));
    await world.peer.tell(page({ y: 1 }, true));
    expect([content(cars), cars.stale]).toEqual([{ x: 3, y: 1 }, false]);
  });

  it('[L-6.10] the pages of an array are one array', async () => {
    const entries = (rows: readonly (readonly [string, number])[]) => rows;
    const { cars } = await opened({ entries });
    await world.peer.tell(paged(1, 4), page([['x', 1]]), page([['y', 2]], true));
    expect(content(cars)).toEqual({ x: 1, y: 2 });
  });

  it('[L-9.3] [L-6.10] a client does not ask again while pages arrive', async () => {
    const { cars } = await opened();
    await world.peer.tell(paged(1, 4));
    world.take();
    for (let n = 0; n < 12; n++) {
      await world.advance(5_000);
      await world.peer.tell(page({ [`k${String(n)}`]: n }));
      const ping = world.take().find((entry) => entry.startsWith('> {"type":"ping"'));
      if (ping !== undefined)
        await world.peer.tell({ type: 'pong', id: (JSON.parse(ping.slice(2)) as { id: number }).id });
    }
    await world.peer.tell(page({ last: 1 }, true));
    expect(world.take().filter((entry) => entry.includes('"subscribe"'))).toEqual([]);
    expect(cars.size).toBe(13);
  });
});

describe('the state after a loss in pages', () => {
  /** A collection with `x` at offset 4. */
  async function started() {
    const opening = await opened();
    await world.peer.tell(subscribed(1, 4, { x: 1 }));
    await opening.cars.ready;
    world.take();
    return opening;
  }
  const asked = (): string[] => world.take().filter((entry) => entry.includes('"subscribe"'));
  const pong = async (): Promise<void> => {
    const ping = world.take().find((entry) => entry.startsWith('> {"type":"ping"'));
    if (ping === undefined) return;
    await world.peer.tell({ type: 'pong', id: (JSON.parse(ping.slice(2)) as { id: number }).id });
  };

  it('[L-5.8] [L-6.10] a collection keeps its old state until the last page after a loss, then follows the events between them', async () => {
    const { cars, told } = await started();
    frame();
    await world.peer.tell(lost(5, 8), paged(undefined, 8), set(9, 'z', 3), page({ y: 2 }));
    expect([content(cars), cars.stale]).toEqual([{ x: 1 }, true]);
    await world.peer.tell(remove(10, 'y'), page({ w: 4 }, true), set(11, 'w', 5));
    frame();
    expect([content(cars), cars.stale]).toEqual([{ w: 5, z: 3 }, false]);
    expect(told.at(-1)).toEqual(['w', 'x', 'y', 'z']);
    expect(asked()).toEqual([]);
  });

  it('[L-5.7] [L-6.10] a collection is stale from the start of a new stream until its last page', async () => {
    const { cars } = await started();
    await world.peer.tell(paged(undefined, 2, 'f'));
    expect([content(cars), cars.stale]).toEqual([{ x: 1 }, true]);
    await world.peer.tell(page({ y: 1 }), page({ z: 1 }, true), set(3, 'z', 2));
    expect([content(cars), cars.stale]).toEqual([{ y: 1, z: 2 }, false]);
  });

  it('[L-5.8] [L-6.10] a client does not ask for a start whose pages arrive, and asks if they stop', async () => {
    const { cars } = await started();
    await world.peer.tell(lost(5, 8), paged(undefined, 8));
    for (let n = 0; n < 12; n++) {
      await world.advance(5_000);
      await world.peer.tell(page({ [`k${String(n)}`]: n }));
      expect(asked()).toEqual([]);
    }
    await world.advance(10_000);
    await pong();
    await world.settle();
    expect(asked()).toEqual(['> {"type":"subscribe","id":3,"topic":"a","pages":true,"entries":true}']);
    await world.peer.tell(paged(3, 9), page({ y: 2 }), page({ z: 2 }, true));
    expect([content(cars), cars.stale]).toEqual([{ y: 2, z: 2 }, false]);
  });

  it('[L-6.10] a client can ask at once after the last page', async () => {
    const { client } = await started();
    await world.peer.tell(paged(undefined, 8), page({ y: 1 }), page({ z: 1 }, true));
    const second = collection(client, 'a');
    await world.settle();
    expect(asked()).toEqual(['> {"type":"subscribe","id":2,"topic":"a","pages":true,"entries":true}']);
    await world.peer.tell(paged(2, 8), page({ y: 1 }), page({ z: 1 }, true));
    expect(content(second)).toEqual({ y: 1, z: 1 });
  });

  it('[L-3.5] [L-6.10] the answer to a subscribe ends the pages after a loss, also if it recovers', async () => {
    const { client, cars } = await started();
    client.subscribe('a', () => {}, { since: { epoch: 'e', offset: 4 }, maxRate: 5 });
    await world.settle();
    expect(asked()).toHaveLength(1);
    await world.peer.tell(lost(5, 8), paged(undefined, 8), page({ y: 1 }));
    await world.peer.tell({ ...subscribed(2, 4), recovered: true }, set(5, 'x', 2));
    expect([content(cars), cars.stale]).toEqual([{ x: 2 }, false]);
  });

  it('[L-6.10] pages after a loss answer in place of those that they end', async () => {
    const { cars } = await opened();
    await world.peer.tell(paged(1, 4), page({ x: 1 }), set(5, 'z', 3), lost(6, 8));
    await world.peer.tell(paged(undefined, 8), page({ y: 1 }), page({ z: 2 }, true), set(9, 'z', 4));
    await cars.ready;
    expect([content(cars), cars.stale]).toEqual([{ y: 1, z: 4 }, false]);
    expect(asked()).toHaveLength(1);
  });

  it('[L-3.9] [L-6.10] the end of the subscription ends the pages after a loss', async () => {
    const { cars } = await started();
    await world.peer.tell(lost(5, 8), paged(undefined, 8), page({ y: 1 }));
    await world.peer.tell({ type: 'unsubscribed', topic: 'a', code: 'forbidden', reason: 'Later' });
    expect([content(cars), cars.stale, cars.error]).toEqual([
      { x: 1 },
      true,
      new LiveError('forbidden', 'Later'),
    ]);
  });
});

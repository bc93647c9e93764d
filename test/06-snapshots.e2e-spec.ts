import { describe, expect, it } from 'vitest';
import { LiveObservers, LiveTopic, type Position, snapshotAt } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { deferred, type Deferred } from './support/deferred.js';
import { type LiveAppOptions, type Platform, platforms, startLiveApp } from './support/live-app.js';

const readable = { canSubscribe: (): boolean => true };

/** `state/*`: its snapshot is the result of `snapshot`. */
function stateTopics(snapshot: (topic: string) => unknown) {
  @LiveTopic('state/*', { history: { size: 3 } })
  class StateTopics {
    canSubscribe = readable.canSubscribe;

    snapshot(_params: object, topic: string): unknown {
      return snapshot(topic);
    }
  }
  return StateTopics;
}

/** Topics whose snapshots wait for the test. */
function slowState() {
  const runs: Deferred<unknown>[] = [];
  let wake = (): void => {};
  const topics = stateTopics(() => {
    const run = deferred<unknown>();
    runs.push(run);
    wake();
    return run.promise;
  });
  const run = async (count: number): Promise<Deferred<unknown>> => {
    while (runs.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return runs[count - 1] as Deferred<unknown>;
  };
  return { topics, runs, run };
}

@LiveTopic('last/*', { snapshot: 'last' })
class LastTopics {
  canSubscribe = readable.canSubscribe;
}

@LiveTopic('keys/*', { snapshot: 'last-per-key' })
class KeyTopics {
  canSubscribe = readable.canSubscribe;
}

async function start(platform: Platform, setup: LiveAppOptions) {
  const app = await startLiveApp({ platform, ...setup });
  const connect = async (token: string): Promise<LiveTestClient> => {
    const client = await LiveTestClient.connect(app.url, { token });
    await client.next();
    return client;
  };
  return { ...app, connect, client: await connect('ann') };
}

const epoch = expect.any(String) as unknown as string;
const event = (topic: string, offset: number, data: unknown) => ({ type: 'event', topic, offset, data });
const subscribed = (topic: string, offset: number, more: object = {}) => ({
  type: 'subscribed',
  topic,
  epoch,
  offset,
  recovered: false,
  ...more,
});
const unavailable = (topic: string, id: number) => ({
  type: 'error',
  id,
  code: 'unavailable',
  message: 'The snapshot of this topic is not available now',
  topic,
  retryAfterMs: 1_000,
});

describe.each(platforms)('6. Snapshots, on %s', (_name, platform) => {
  it.each([{ vehicles: [1, { a: null }] }, [], 'ü\u2028"', 0, false, null])(
    '[L-6.1] a subscribe is answered with the snapshot %j and its position',
    async (state) => {
      const { client, live } = await start(platform, { providers: [stateTopics(() => state)] });
      for (const data of [1, 2]) await live.publish('state/1', data);
      client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
      expect(await client.settle()).toEqual([subscribed('state/1', 2, { id: 1, snapshot: state })]);
    },
  );

  it('[L-6.1] publications made during the snapshot follow it', async () => {
    const { topics, run } = slowState();
    const { client, live } = await start(platform, { providers: [topics] });
    await live.publish('state/1', 1);
    client.send({ type: 'subscribe', topic: 'state/1' });
    const making = await run(1);
    for (const data of [2, 3]) await live.publish('state/1', data);
    making.resolve('made');
    expect(await client.settle()).toEqual([
      subscribed('state/1', 1, { snapshot: 'made' }),
      event('state/1', 2, 2),
      event('state/1', 3, 3),
    ]);
  });

  it('[L-6.1] the answer has no snapshot if the topic has none or the client recovered', async () => {
    const { client, live } = await start(platform, {
      providers: [stateTopics((topic) => (topic === 'state/none' ? undefined : 'some'))],
    });
    const since = await live.publish('state/some', 1);
    client.send({ type: 'subscribe', id: 1, topic: 'state/none' });
    client.send({ type: 'subscribe', id: 2, topic: 'state/some', since });
    client.send({ type: 'subscribe', id: 3, topic: 'state/some' });
    const answers = await client.settle();
    // Answers about different topics have no order.
    expect(answers.toSorted((one, other) => Number(one.id) - Number(other.id))).toEqual([
      subscribed('state/none', 0, { id: 1 }),
      subscribed('state/some', 1, { id: 2, recovered: true }),
      subscribed('state/some', 1, { id: 3, snapshot: 'some' }),
    ]);
  });

  it('[L-6.2] clients that subscribe during a snapshot share it, and none misses a publication', async () => {
    const { topics, runs, run } = slowState();
    const { client, connect, live } = await start(platform, { providers: [topics] });
    const late = await connect('bob');
    client.send({ type: 'subscribe', topic: 'state/1' });
    const making = await run(1);
    await live.publish('state/1', 1);
    late.send({ type: 'subscribe', topic: 'state/1' });
    // A later, third client has been served, so the second is waiting for the snapshot by now.
    await (await connect('cat')).settle();
    await live.publish('state/1', 2);
    making.resolve('shared');
    const both = [
      subscribed('state/1', 0, { snapshot: 'shared' }),
      event('state/1', 1, 1),
      event('state/1', 2, 2),
    ];
    expect(await Promise.all([client.settle(), late.settle()])).toEqual([both, both]);
    expect(runs).toHaveLength(1);
  });

  it('[L-6.2] a later subscribe and another topic each get a new snapshot', async () => {
    let runs = 0;
    const state = stateTopics((topic) => [topic, (runs += 1)]);
    const { client, connect } = await start(platform, { providers: [state] });
    const other = await connect('bob');
    client.send({ type: 'subscribe', topic: 'state/1' });
    client.send({ type: 'subscribe', topic: 'state/2' });
    expect((await client.settle()).map(({ snapshot }) => snapshot)).toEqual([
      ['state/1', 1],
      ['state/2', 2],
    ]);
    other.send({ type: 'subscribe', topic: 'state/1' });
    expect((await other.settle()).map(({ snapshot }) => snapshot)).toEqual([['state/1', 3]]);
  });

  it('[L-6.2] a shared snapshot continues for the others when one of them unsubscribes', async () => {
    const { topics, run } = slowState();
    const { client, connect, live } = await start(platform, { providers: [topics] });
    const other = await connect('bob');
    client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
    const making = await run(1);
    other.send({ type: 'subscribe', id: 2, topic: 'state/1' });
    await (await connect('cat')).settle();
    client.send({ type: 'unsubscribe', topic: 'state/1' });
    await client.settle();
    await live.publish('state/1', 1);
    making.resolve('made');
    expect(await other.settle()).toEqual([
      subscribed('state/1', 0, { id: 2, snapshot: 'made' }),
      event('state/1', 1, 1),
    ]);
    expect(live.stats()).toMatchObject({ topics: 1, subscriptions: 1 });
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('the database is away');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the database is away'))],
    ['is late', () => new Promise(() => {})],
    ['has no JSON text', () => ({ big: 1n })],
  ])(
    '[L-6.3] a subscribe gets unavailable, and no subscription, when its snapshot %s',
    async (_does, snapshot) => {
      const options = { snapshotTimeoutMs: 50 };
      const { client, live, app } = await start(platform, { providers: [stateTopics(snapshot)], options });
      const failures: string[] = [];
      app.get(LiveObservers).add({ failed: (doing) => failures.push(doing) });
      client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
      expect(await client.settle()).toEqual([unavailable('state/1', 1)]);
      await live.publish('state/1', 1);
      expect(await client.settle()).toEqual([]);
      expect([live.stats().topics, live.stats().subscriptions]).toEqual([0, 0]);
      expect(failures).toEqual(['making a snapshot']);
    },
  );

  it('[L-6.3] a failed snapshot fails every subscribe that shares it, and the next subscribe gets a new one', async () => {
    const { topics, run } = slowState();
    const { client, connect } = await start(platform, { providers: [topics] });
    const other = await connect('bob');
    client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
    const making = await run(1);
    other.send({ type: 'subscribe', id: 2, topic: 'state/1' });
    await (await connect('cat')).settle();
    making.reject(new Error('the database is away'));
    expect(await Promise.all([client.settle(), other.settle()])).toEqual([
      [unavailable('state/1', 1)],
      [unavailable('state/1', 2)],
    ]);
    client.send({ type: 'subscribe', id: 3, topic: 'state/1' });
    (await run(2)).resolve('anew');
    expect(await client.settle()).toEqual([subscribed('state/1', 0, { id: 3, snapshot: 'anew' })]);
  });
});

describe.each(platforms)('6. Snapshots with a position or without a provider, on %s', (_name, platform) => {
  it('[L-6.4] a snapshot with a position is followed by everything published since that position', async () => {
    let at: Position = { epoch: '', offset: 0 };
    const state = stateTopics(() => snapshotAt(at, 'as stored'));
    const { client, live } = await start(platform, { providers: [state] });
    await live.publish('state/1', 1);
    at = await live.publish('state/1', 2);
    for (const data of [3, 4]) await live.publish('state/1', data);
    client.send({ type: 'subscribe', topic: 'state/1' });
    expect(await client.settle()).toEqual([
      subscribed('state/1', 2, { snapshot: 'as stored' }),
      event('state/1', 3, 3),
      event('state/1', 4, 4),
    ]);
  });

  it('[L-6.4] a publication made while the snapshot was read is sent once', async () => {
    const { topics, run } = slowState();
    const { client, live } = await start(platform, { providers: [topics] });
    await live.publish('state/1', 1);
    client.send({ type: 'subscribe', topic: 'state/1' });
    const reading = await run(1);
    const at = await live.publish('state/1', 2);
    await live.publish('state/1', 3);
    reading.resolve(snapshotAt(at, 'as stored'));
    expect(await client.settle()).toEqual([
      subscribed('state/1', 2, { snapshot: 'as stored' }),
      event('state/1', 3, 3),
    ]);
  });

  it('[L-6.4] a subscribe gets unavailable if the publications since the snapshot are gone', async () => {
    let at: Position = { epoch: '', offset: 0 };
    const state = stateTopics(() => snapshotAt(at, 'as stored'));
    const { client, live } = await start(platform, { providers: [state] });
    at = await live.publish('state/1', 0);
    for (let i = 1; i <= 4; i++) await live.publish('state/1', i);
    client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
    at = { ...at, epoch: 'another' };
    client.send({ type: 'subscribe', id: 2, topic: 'state/1' });
    expect(await client.settle()).toEqual([unavailable('state/1', 1), unavailable('state/1', 2)]);
    expect(live.stats().subscriptions).toBe(0);
  });

  it('[L-6.5] a snapshot of the last publication is absent before the first one', async () => {
    const { client, live } = await start(platform, { providers: [LastTopics] });
    client.send({ type: 'subscribe', id: 1, topic: 'last/1' });
    await client.settle();
    for (const data of [1, { speed: 7 }]) await live.publish('last/1', data, { key: 'v1' });
    await client.settle();
    client.send({ type: 'subscribe', id: 2, topic: 'last/1' });
    await client.settle();
    expect(client.transcript.filter(({ type }) => type === 'subscribed')).toEqual([
      subscribed('last/1', 0, { id: 1 }),
      subscribed('last/1', 2, { id: 2, snapshot: { speed: 7 } }),
    ]);
  });

  it('[L-6.6] a snapshot of the last publication of each key omits removed keys', async () => {
    const { client, live } = await start(platform, { providers: [KeyTopics] });
    await live.publish('keys/1', 1, { key: 'v1', version: 10 });
    await live.publish('keys/1', 1, { key: 'v2', version: 10 });
    await live.publish('keys/1', undefined, { key: 'v1', remove: true, version: 20 });
    const late = await live.publish('keys/1', 'late', { key: 'v1', version: 15 });
    expect(late.suppressed).toBe('stale');
    client.send({ type: 'subscribe', topic: 'keys/1' });
    expect(await client.settle()).toEqual([subscribed('keys/1', 3, { snapshot: { v2: 1 } })]);
  });

  it('[L-6.5] a snapshot of the last publication of each key is absent before the first one', async () => {
    const { client, live } = await start(platform, { providers: [KeyTopics] });
    client.send({ type: 'subscribe', id: 1, topic: 'keys/1' });
    await client.settle();
    await live.publish('keys/1', { speed: 1 }, { key: 'v1' });
    await live.publish('keys/1', { speed: 2 }, { key: '__proto__' });
    await live.publish('keys/1', { speed: 3 }, { key: 'v1' });
    await live.publish('keys/1', 'no key');
    await client.settle();
    client.send({ type: 'subscribe', id: 2, topic: 'keys/1' });
    await client.settle();
    const [first, second] = client.transcript.filter(({ type }) => type === 'subscribed');
    expect(first).toEqual(subscribed('keys/1', 0, { id: 1 }));
    expect(second).toMatchObject({ offset: 4 });
    expect(Object.entries(second?.['snapshot'] as object).toSorted()).toEqual([
      ['__proto__', { speed: 2 }],
      ['v1', { speed: 3 }],
    ]);
  });
});

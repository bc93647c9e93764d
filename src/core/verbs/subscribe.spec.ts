import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import { TestSocket } from '../../testing/test-socket.js';
import { holdLimits } from '../fanout/hold-buffers.js';
import { LiveError } from '../../protocol/live.error.js';
import { snapshotAt } from '../stream/snapshot-at.js';
import type { TopicRules } from '../ports/policy.js';
import { recoveryTurns } from '../connection/replays.js';

/** A promise that the test settles. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

async function position(test: TestLive, offset: number) {
  const { top } = await test.broker.read('t', undefined, { count: 0, bytes: 0 });
  return { epoch: top.epoch, offset };
}

const history = { size: 500, ttlMs: 60_000, maxBytes: 10_000_000 };
const epoch: unknown = expect.any(String);
const event = (offset: number, data: unknown) => ({ type: 'event', topic: 't', offset, data });
const subscribed = (offset: number, more: object = {}) => ({
  type: 'subscribed',
  topic: 't',
  epoch,
  offset,
  recovered: false,
  ...more,
});
const error = (code: string, message: string, more: object = {}) => ({
  type: 'error',
  code,
  message,
  ...more,
});
const canceled = error('unavailable', 'The subscribe was canceled', { topic: 't' });
const unchecked = error('unavailable', 'Whether you may do this cannot be checked now', {
  topic: 't',
  retryAfterMs: 1_000,
});
const forbidden = error('forbidden', 'You may not do this with this topic', { topic: 't' });

function live(rules: Partial<TopicRules> | undefined, more: ConstructorParameters<typeof TestLive>[0] = {}) {
  return new TestLive({ rulesFor: () => rules, ...more });
}

describe('Subscribe', () => {
  it('[L-3.2] a subscribe is answered with the position, and every later publication follows', async () => {
    const test = live({});
    const { send, received } = test.connect();
    await test.publish('t', 'before');
    await send({ type: 'subscribe', id: 7, topic: 't' });
    await test.publish('t', 'after');
    expect(received()).toEqual([subscribed(1, { id: 7 }), event(2, 'after')]);
  });

  it('[L-3.3] a denied topic and an undeclared topic get the same answer', async () => {
    const denied = live({ canSubscribe: () => false }).connect();
    const undeclared = live(undefined).connect();
    for (const { send } of [denied, undeclared]) await send({ type: 'subscribe', topic: 't' });
    expect(denied.received()).toEqual([forbidden]);
    expect(undeclared.received()).toEqual([forbidden]);
  });

  it.each([
    ['something truthy', () => 'yes' as unknown as boolean],
    ['nothing', () => undefined as unknown as boolean],
    ['a LiveError with a permanent code', () => Promise.reject(new LiveError('forbidden', 'Not this one'))],
  ])('[L-3.4] a check that returns %s denies', async (_how, canSubscribe) => {
    const test = live({ canSubscribe });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    expect([received(), test.live.stats().topics]).toEqual([[forbidden], 0]);
  });

  it.each([
    [
      'throws',
      'failed',
      () => {
        throw new Error('ECONNREFUSED');
      },
    ],
    ['rejects', 'failed', () => Promise.reject(new Error('ECONNREFUSED'))],
    [
      'cannot tell now',
      'unavailable',
      () => Promise.reject(new LiveError('unavailable', 'The store is away')),
    ],
  ] as const)('[L-3.4] a check that %s allows nothing but is not a denial', async (_how, outcome, fails) => {
    let broken = true;
    const outcomes: string[] = [];
    const test = live(
      { canSubscribe: () => (broken ? fails() : true) },
      { observer: { authorized: (right, how) => outcomes.push(`${right} ${how}`) } },
    );
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    await test.publish('t', 'secret');
    expect([received(), test.live.stats().topics]).toEqual([[unchecked], 0]);
    broken = false;
    await send({ type: 'subscribe', topic: 't' });
    expect(received()).toEqual([subscribed(1)]);
    expect(outcomes).toEqual([`canSubscribe ${outcome}`, 'canSubscribe allowed']);
  });

  it('[L-3.4] the retry time given by a check is passed on', async () => {
    const test = live({
      canSubscribe: () => Promise.reject(new LiveError('unavailable', 'Away', { retryAfterMs: 30_000 })),
    });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    expect(received()).toEqual([{ ...unchecked, retryAfterMs: 30_000 }]);
  });

  it('[L-3.4] a late check allows nothing, and its late yes is discarded', async () => {
    const answer = deferred<boolean>();
    const test = live({ canSubscribe: () => answer.promise });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    test.clock.advance(4_999);
    await test.clock.settle();
    expect(received()).toEqual([]);
    test.clock.advance(1);
    await test.clock.settle();
    answer.resolve(true);
    await test.publish('t', 1);
    expect(received()).toEqual([unchecked]);
  });

  it('[L-3.4] [L-4.4] a failing canPublish stores nothing and is not a denial', async () => {
    const test = live({ history, canPublish: () => Promise.reject(new Error('ECONNREFUSED')) });
    const { send, received } = test.connect();
    await send({ type: 'publish', topic: 't', data: 1 });
    expect(received()).toEqual([unchecked]);
    expect((await test.broker.read('t', undefined, { count: 0, bytes: 0 })).top.offset).toBe(0);
  });

  it('[L-3.5] a second subscribe does not double the events', async () => {
    const test = live({});
    const { send, received } = test.connect();
    for (let i = 0; i < 2; i++) await send({ type: 'subscribe', topic: 't' });
    await test.publish('t', 1);
    expect(received()).toEqual([subscribed(0), subscribed(0), event(1, 1)]);
    expect(test.live.stats().subscriptions).toBe(1);
  });

  it('[L-3.7] an unsubscribe cancels a pending subscribe at once', async () => {
    const answer = deferred<boolean>();
    const test = live({ canSubscribe: () => answer.promise });
    const timers = test.clock.timerCount;
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    await send({ type: 'unsubscribe', topic: 't' });
    expect(received()).toEqual([canceled, { type: 'unsubscribed', topic: 't' }]);
    answer.resolve(true);
    await test.publish('t', 1);
    expect([received(), test.live.stats().topics]).toEqual([[], 0]);
    expect(test.clock.timerCount).toBe(timers);
  });

  it('[L-3.7] an unsubscribe cancels a subscribe whose verb has not started', async () => {
    const test = live(
      { canSubscribe: () => new Promise(() => {}) },
      {
        handlers: (type) => async (connection, message) => {
          // As behind a guard: the verb starts some turns later.
          for (let i = 0; i < 5; i++) await Promise.resolve();
          return test.live.verbs[type as 'subscribe' | 'unsubscribe'](connection, message);
        },
      },
    );
    const { session, received } = test.connect();
    for (const type of ['subscribe', 'unsubscribe', 'subscribe', 'unsubscribe']) {
      session.received(JSON.stringify({ type, topic: 't' }));
    }
    await test.clock.settle();
    const unsubscribed = { type: 'unsubscribed', topic: 't' };
    expect(received()).toEqual([canceled, unsubscribed, canceled, unsubscribed]);
    expect(test.live.stats()).toMatchObject({ topics: 0, subscriptions: 0 });
  });

  it('[L-3.7] the end of the connection cancels a subscribe at every stage', async () => {
    for (const stage of ['canSubscribe', 'snapshot'] as const) {
      const answer = deferred<boolean>();
      const test = live({ [stage]: () => answer.promise });
      const { send, socket } = test.connect();
      await send({ type: 'subscribe', topic: 't' });
      socket.gone(1006, '');
      answer.resolve(true);
      await test.clock.settle();
      expect(test.live.stats()).toMatchObject({ connections: 0, subscriptions: 0, topics: 0 });
    }
  });

  it('[L-3.8] one topic above the limit is refused, and accepted when another is left', async () => {
    const test = new TestLive({ limits: { maxTopicsPerConnection: 2 } });
    const { send, received } = test.connect();
    for (const topic of ['a', 'b', 'c', 'b']) await send({ type: 'subscribe', topic });
    await send({ type: 'unsubscribe', topic: 'a' });
    await send({ type: 'subscribe', topic: 'c' });
    const types = received().map(
      (message) => (message as { type: string; code?: string }).code ?? (message as { type: string }).type,
    );
    expect(types).toEqual([
      'subscribed',
      'subscribed',
      'limit-exceeded',
      'subscribed',
      'unsubscribed',
      'subscribed',
    ]);
  });

  it('[L-3.8] refused topics do not count toward the limit', async () => {
    const test = new TestLive({
      limits: { maxTopicsPerConnection: 2 },
      rulesFor: (topic) => ({ canSubscribe: () => topic === 'yes' }),
    });
    const { send, received, session } = test.connect();
    for (const topic of ['a', 'b', 'c', 'yes']) await send({ type: 'subscribe', topic });
    expect(received().at(-1)).toMatchObject({ type: 'subscribed', topic: 'yes' });
    expect([session.connection.membershipCount, session.connection.topics]).toEqual([1, ['yes']]);
  });

  it('[L-3.10] publications during a snapshot are held: the answer, then held ones, then live ones', async () => {
    const snapshot = deferred<unknown>();
    const test = live({ snapshot: () => snapshot.promise });
    const { send, received } = test.connect();
    await test.publish('t', 'one');
    await send({ type: 'subscribe', topic: 't' });
    await test.publish('t', 'two');
    await test.publish('t', 'three');
    expect(received()).toEqual([]);
    snapshot.resolve({ state: 'of two' });
    await test.clock.settle();
    await test.publish('t', 'four');
    const answer = subscribed(1, { snapshot: { state: 'of two' } });
    expect(received()).toEqual([answer, event(2, 'two'), event(3, 'three'), event(4, 'four')]);
  });

  it('[L-3.11] a subscribe with too many held publications starts over once, then gives up', async () => {
    const snapshots = [deferred<unknown>(), deferred<unknown>()];
    let asked = 0;
    const test = live({ snapshot: () => snapshots[asked++]?.promise });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    for (const snapshot of snapshots) {
      for (let i = 0; i <= holdLimits.count; i++) await test.live.publish('t', 1);
      snapshot.resolve('late');
      await test.clock.settle();
    }
    const tooMuch = error('unavailable', 'Too much was published while subscribing', {
      topic: 't',
      retryAfterMs: 1_000,
    });
    expect([asked, received()]).toEqual([2, [tooMuch]]);
    expect(test.live.stats()).toMatchObject({ topics: 0, subscriptions: 0 });
  });

  it('[L-5.2] a recovery continues at the same offset, with exactly the missed publications, then live ones', async () => {
    const test = live({ history, snapshot: () => 'unused' });
    for (const data of ['a', 'b', 'c']) await test.publish('t', data);
    const { top } = await test.broker.read('t', undefined, { count: 0, bytes: 0 });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't', since: { epoch: top.epoch, offset: 1 } });
    await test.publish('t', 'd');
    expect(received()).toEqual([
      subscribed(1, { recovered: true }),
      event(2, 'b'),
      event(3, 'c'),
      event(4, 'd'),
    ]);
  });

  it('[L-9.7] recoveries of many returning clients are spread over several turns of the event loop', async () => {
    const test = live({ history });
    await test.publish('t', 'a');
    const since = await position(test, 0);
    const peers = Array.from({ length: 3 * recoveryTurns.perTurn }, () => test.connect());
    const subscribe = JSON.stringify({ type: 'subscribe', topic: 't', since });
    for (const { session } of peers) session.received(subscribe);
    // Promises continue, but the clock's next turn has not come yet.
    await new Promise((resolve) => setImmediate(resolve));
    expect(test.live.stats().subscriptions).toBe(recoveryTurns.perTurn);
    await test.clock.settle();
    const recovered = [subscribed(0, { recovered: true }), event(1, 'a')];
    expect(peers.map(({ received }) => received())).toEqual(peers.map(() => recovered));
  });

  it.each([
    ['another epoch', { epoch: 'other', offset: 1 }],
    ['an offset that never existed', { offset: 99 }],
    ['an offset that the history has lost', { offset: 0 }],
  ])(
    '[L-5.3] a subscribe starts over from a snapshot after %s, without missed publications',
    async (_what, since) => {
      const test = live({ history: { ...history, size: 2 }, snapshot: () => 'state' });
      for (const data of ['a', 'b', 'c']) await test.publish('t', data);
      const { top } = await test.broker.read('t', undefined, { count: 0, bytes: 0 });
      const { send, received } = test.connect();
      await send({ type: 'subscribe', topic: 't', since: { epoch: top.epoch, ...since } });
      expect(received()).toEqual([subscribed(3, { snapshot: 'state' })]);
    },
  );

  it.each([
    null,
    7,
    'x',
    {},
    { epoch: 'e' },
    { epoch: 'e', offset: -1 },
    { epoch: 'e', offset: 0.5 },
    { epoch: 'e', offset: '1' },
    { epoch: '', offset: 1 },
    { epoch: 'e', offset: 2 ** 53 },
  ])('[L-5.5] the position %j is refused', async (since) => {
    const { send, received } = live({ history }).connect();
    await send({ type: 'subscribe', topic: 't', since });
    const message = '"since" must be {"epoch": string, "offset": integer >= 0}';
    expect(received()).toEqual([error('protocol-violation', message, { topic: 't' })]);
  });

  it('[L-5.6] a recovery needs the same authorization', async () => {
    const test = live({ history, canSubscribe: () => false });
    await test.publish('t', 'secret');
    const { top } = await test.broker.read('t', undefined, { count: 0, bytes: 0 });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't', since: { epoch: top.epoch, offset: 0 } });
    expect(received()).toEqual([forbidden]);
  });

  it('[L-6.2] one snapshot serves all concurrent subscribes, each with what it misses', async () => {
    const snapshot = deferred<unknown>();
    let asked = 0;
    const test = live({ snapshot: () => (asked++, snapshot.promise) });
    const [early, late] = [test.connect(), test.connect()];
    await early.send({ type: 'subscribe', topic: 't' });
    await test.publish('t', 'between');
    await late.send({ type: 'subscribe', topic: 't' });
    snapshot.resolve('state');
    await test.clock.settle();
    const transcript = [subscribed(0, { snapshot: 'state' }), event(1, 'between')];
    expect([asked, early.received(), late.received()]).toEqual([1, transcript, transcript]);
  });

  it('[L-6.3] a failed or late snapshot is answered unavailable, with one report and no subscription', async () => {
    for (const fails of [true, false]) {
      const snapshot = deferred<unknown>();
      const failures: string[] = [];
      const test = live(
        { snapshot: () => snapshot.promise },
        { observer: { failed: (doing) => failures.push(doing) } },
      );
      const peers = [test.connect(), test.connect()];
      for (const { send } of peers) await send({ type: 'subscribe', topic: 't' });
      if (fails) snapshot.reject(new Error('the store is away'));
      else test.clock.advance(10_000);
      await test.clock.settle();
      const message = 'The snapshot of this topic is not available now';
      const answer = [error('unavailable', message, { topic: 't', retryAfterMs: 1_000 })];
      expect(peers.map(({ received }) => received())).toEqual([answer, answer]);
      expect([failures, test.live.stats().topics]).toEqual([['making a snapshot'], 0]);
    }
  });

  it('[L-6.4] a subscribe starts at the position of the snapshot, followed by later publications', async () => {
    const test = live({ history, snapshot: async () => snapshotAt(await position(test, 1), 'as of one') });
    const { send, received } = test.connect();
    for (const data of ['a', 'b', 'c']) await test.publish('t', data);
    await send({ type: 'subscribe', topic: 't' });
    await test.publish('t', 'd');
    const answer = subscribed(1, { snapshot: 'as of one' });
    expect(received()).toEqual([answer, event(2, 'b'), event(3, 'c'), event(4, 'd')]);
  });

  it("[L-6.4] a snapshot position ahead of the subscribe's start is accepted", async () => {
    const store = deferred<unknown>();
    const test = live({ history, snapshot: () => store.promise });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    for (const data of ['a', 'b', 'c']) await test.publish('t', data);
    store.resolve(snapshotAt(await position(test, 2), 'as of two'));
    await test.clock.settle();
    expect(received()).toEqual([subscribed(2, { snapshot: 'as of two' }), event(3, 'c')]);
  });

  it('[L-6.4] a snapshot whose later publications are gone is answered unavailable', async () => {
    const test = live({
      history: { ...history, size: 1 },
      snapshot: async () => snapshotAt(await position(test, 1), 1),
    });
    const { send, received } = test.connect();
    for (const data of ['a', 'b', 'c']) await test.publish('t', data);
    await send({ type: 'subscribe', topic: 't' });
    const message = 'The snapshot of this topic is not available now';
    expect(received()).toEqual([error('unavailable', message, { topic: 't', retryAfterMs: 1_000 })]);
  });

  it('[L-6.5] the last publication serves as the snapshot, with none before the first', async () => {
    const test = live({ latest: 'last' });
    const [before, after] = [test.connect(), test.connect()];
    await before.send({ type: 'subscribe', topic: 't' });
    for (const data of [{ n: 1 }, { n: 2 }]) await test.publish('t', data);
    await after.send({ type: 'subscribe', topic: 't' });
    expect(before.received()[0]).toEqual(subscribed(0));
    expect(after.received()).toEqual([subscribed(2, { snapshot: { n: 2 } })]);
  });

  it('[L-6.5] the last publication of each key serves as the snapshot', async () => {
    const test = live({ latest: 'last-per-key' });
    for (const [key, data] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      [undefined, 4],
    ] as const)
      await test.publish('t', data, key);
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    expect(received()).toEqual([subscribed(4, { snapshot: { a: 3, b: 2 } })]);
  });

  it('a failing broker is answered unavailable, and the next subscribe tries again', async () => {
    let away = true;
    const test = live(
      {},
      {
        broker: (memory) =>
          Object.assign(Object.create(memory) as typeof memory, {
            subscribe: (topic: string) =>
              away ? Promise.reject(new Error('away')) : memory.subscribe(topic),
          }),
      },
    );
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 't' });
    away = false;
    await send({ type: 'subscribe', topic: 't' });
    await test.publish('t', 1);
    const message = 'Subscribing is not possible now';
    expect(received()).toEqual([
      error('unavailable', message, { topic: 't', retryAfterMs: 1_000 }),
      subscribed(0),
      event(1, 1),
    ]);
  });

  it('a peer too slow for its own recovery is closed, and leaves nothing behind', async () => {
    const test = live({ history }, { limits: { backPressureThresholdBytes: 100_000 } });
    for (let i = 0; i < 200; i++) await test.live.publish('t', 'x'.repeat(2_000));
    const { top } = await test.broker.read('t', undefined, { count: 0, bytes: 0 });
    const { send, socket } = test.connect({ socket: new TestSocket(true) });
    await send({ type: 'subscribe', topic: 't', since: { epoch: top.epoch, offset: 0 } });
    expect(socket.closedWith).toEqual({ code: 1008, reason: 'back-pressure threshold exceeded' });
    expect(test.live.stats()).toMatchObject({ connections: 0, subscriptions: 0, topics: 0 });
  });
});

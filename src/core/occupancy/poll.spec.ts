import { describe, expect, it } from 'vitest';
import { TestCluster } from '../../../test/support/test-cluster.js';
import type { TestLiveOptions } from '../../testing/test-live.js';
import { TestLive, type TestPeer } from '../../testing/test-live.js';

const everyMs = 1_000;

/** A topic with a state that the test changes. */
class Polled {
  state: unknown;
  calls = 0;
  /** Set while a call has to wait. */
  wait: Promise<void> | undefined;

  constructor(
    state: unknown,
    private readonly byKey = false,
  ) {
    this.state = state;
  }

  readonly rulesFor: NonNullable<TestLiveOptions['rulesFor']> = () => ({
    latest: this.byKey ? 'last-per-key' : 'last',
    occupancy: {
      graceMs: 0,
      poll: {
        everyMs,
        byKey: this.byKey,
        state: async () => {
          this.calls += 1;
          await this.wait;
          return structuredClone(this.state);
        },
      },
    },
  });
}

async function pass(test: TestLive, ms: number): Promise<void> {
  test.clock.advance(ms);
  await test.clock.settle();
}

const events = (peer: TestPeer): unknown[] =>
  (peer.received() as { type: string; data: unknown; key?: string; removed?: true }[])
    .filter(({ type }) => type === 'event')
    .map(({ data, key, removed }) => [...(key === undefined ? [] : [key]), removed ?? data]);

async function reading(polled: Polled, options: TestLiveOptions = {}) {
  const test = new TestLive({ rulesFor: polled.rulesFor, ...options });
  const peer = test.connect();
  await peer.send({ type: 'subscribe', topic: 't' });
  await pass(test, 0);
  return { test, peer };
}

describe('Polling', () => {
  it('the state is published when somebody reads, and again only when it has changed', async () => {
    const polled = new Polled({ open: 3 });
    const { test, peer } = await reading(polled);
    expect(events(peer)).toEqual([[{ open: 3 }]]);
    for (let i = 0; i < 3; i++) await pass(test, everyMs);
    expect([events(peer), polled.calls]).toEqual([[], 4]);
    polled.state = { open: 4 };
    await pass(test, everyMs);
    expect(events(peer)).toEqual([[{ open: 4 }]]);
  });

  it('the changed keys of a topic with keys are published, and those that are gone are removed', async () => {
    const polled = new Polled({ a: 1, b: 2 }, true);
    const { test, peer } = await reading(polled);
    expect(events(peer)).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    polled.state = { b: 3, c: 4 };
    await pass(test, everyMs);
    expect(events(peer)).toEqual([
      ['b', 3],
      ['c', 4],
      ['a', true],
    ]);
  });

  it('a late subscriber gets the state from the broker, without a call', async () => {
    const polled = new Polled({ a: 1 }, true);
    const { test } = await reading(polled);
    const late = test.connect();
    await late.send({ type: 'subscribe', topic: 't' });
    expect(late.received()).toMatchObject([{ type: 'subscribed', snapshot: { a: 1 } }]);
    expect(polled.calls).toBe(1);
  });

  it('nobody is asked while nobody reads, and what changed in between is published to the next reader', async () => {
    const polled = new Polled({ a: 1, b: 2 }, true);
    const { test, peer } = await reading(polled);
    await peer.send({ type: 'unsubscribe', topic: 't' });
    await pass(test, 10 * everyMs);
    expect(polled.calls).toBe(1);
    polled.state = { a: 1, b: 3 };
    events(peer);
    await peer.send({ type: 'subscribe', topic: 't' });
    await pass(test, 0);
    expect([events(peer), polled.calls]).toEqual([[['b', 3]], 2]);
  });

  it('a slow call is never joined by a second one, and the rounds that it missed are left out', async () => {
    const polled = new Polled(1);
    const { test } = await reading(polled);
    let ready = (): void => {};
    polled.wait = new Promise((resolve) => (ready = resolve));
    await pass(test, everyMs);
    await pass(test, 2.5 * everyMs);
    expect(polled.calls).toBe(2);
    polled.wait = undefined;
    ready();
    await test.clock.settle();
    await pass(test, 0.4 * everyMs);
    expect(polled.calls).toBe(2);
    await pass(test, 0.1 * everyMs);
    expect(polled.calls).toBe(3);
  });

  it('a call that fails, never ends or returns nothing is reported, and tried again after the interval', async () => {
    const failures: string[] = [];
    const polled = new Polled(undefined);
    const { test, peer } = await reading(polled, {
      observer: { failed: (_what, error) => void failures.push((error as Error).message) },
    });
    polled.wait = new Promise(() => {});
    await pass(test, everyMs);
    await pass(test, 10_000);
    polled.wait = undefined;
    polled.state = 5;
    await pass(test, everyMs);
    expect(failures).toEqual(['snapshot() returned undefined', 'The state was not ready within 10000 ms']);
    expect(events(peer)).toEqual([[5]]);
  });

  it('the application may publish to a polled topic: the next round publishes the state again', async () => {
    const polled = new Polled(1);
    const { test, peer } = await reading(polled);
    await test.publish('t', 9);
    await pass(test, everyMs);
    expect(events(peer)).toEqual([[1], [9], [1]]);
  });

  it('one instance of a cluster asks, and another one continues when it dies', async () => {
    const world = new TestCluster();
    const polled = ['a', 'b'].map(() => new Polled(1));
    const instances = polled.map(({ rulesFor }, i) => world.add('ab'.charAt(i), { rulesFor }));
    await world.pass(1_000);
    for (const instance of instances) await instance.reader('ann', 't');
    await world.pass(10_000);
    const calls = polled.map((each) => each.calls);
    expect(calls.toSorted((one, other) => one - other)[0]).toBe(0);
    expect(Math.max(...calls)).toBeGreaterThanOrEqual(9);
    const asks = calls[0] === 0 ? 1 : 0;
    world.kill(instances[asks] as (typeof instances)[0]);
    await world.pass(6_100);
    expect(polled[1 - asks]?.calls).toBeGreaterThanOrEqual(1);
  });
});

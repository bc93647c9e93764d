import { describe, expect, it } from 'vitest';
import { TestLive, type TestLiveOptions, type TestPeer } from '../../testing/test-live.js';
import type { TopicRules } from '../ports/policy.js';

const history = { size: 1_000, ttlMs: 1_000_000, maxBytes: 100_000_000 };
const replayRate = { bytesPerSecond: 10_000, byteBurst: 100_000 };
const ann = { id: 'ann' };

interface Message {
  readonly type: string;
  readonly code?: string;
  readonly retryAfterMs?: number;
  readonly snapshot?: string;
}

function world(rules: Partial<TopicRules>, options: Partial<TestLiveOptions> = {}) {
  const refused: string[] = [];
  const test = new TestLive({
    rulesFor: () => rules,
    // No peer here answers pings, and a large answer triggers a ping at once. [L-8.6]
    limits: { replayRate, pingIntervalMs: 1_000_000, pongTimeoutMs: 1_000_000 },
    observer: { tooFast: (_connection, how) => void refused.push(how) },
    ...options,
  });
  return { test, refused };
}

/** After `hold()`, the answer of each reading waits until its entry in `reads` is called. */
function worldOfHeldReads() {
  const reads: (() => void)[] = [];
  let held = false;
  const { test } = world(
    { history },
    {
      limits: {},
      broker: (memory) =>
        Object.assign(Object.create(memory) as typeof memory, {
          read: async (...args: Parameters<typeof memory.read>) => {
            const reading = await memory.read(...args);
            if (held) await new Promise<void>((resolve) => void reads.push(resolve));
            return reading;
          },
        }),
    },
  );
  return { test, reads, hold: () => (held = true) };
}

/** The answers to subscribes, without `incoming` messages and events. */
async function subscribe(peer: TestPeer, topic = 't', more: object = {}): Promise<Message> {
  await peer.send({ type: 'subscribe', id: 1, topic, ...more });
  return (peer.received() as Message[]).find(({ type }) => type !== 'incoming') as Message;
}

describe('The budget for recoveries and snapshots', () => {
  it('[L-9.18] a recovery above the rate is answered with a wait, after which it is accepted', async () => {
    const { test, refused } = world({ history });
    const peer = test.connect({ user: ann });
    const { epoch } = (await subscribe(peer)) as unknown as { epoch: string };
    for (let i = 0; i < 4; i++) await test.live.publish('t', 'x'.repeat(10_000));
    await test.clock.settle();
    const since = { epoch, offset: 0 };
    const answers: Message[] = [];
    for (let i = 0; i < 20; i++) answers.push(await subscribe(peer, 't', { since }));
    const refusals = answers.filter(({ type }) => type === 'error');
    expect(answers.length - refusals.length).toBe(3);
    expect(refusals[0]).toEqual({
      type: 'error',
      id: 1,
      code: 'rate-limited',
      message: 'Your budget for recoveries and snapshots is used up',
      topic: 't',
      retryAfterMs: 2_003,
    });
    expect(refused).toEqual(refusals.map(() => 'replay'));
    test.clock.advance(2_003);
    expect(await subscribe(peer, 't', { since })).toMatchObject({ type: 'subscribed', recovered: true });
  });

  it('[L-9.18] a refused subscribe changes nothing, and the previous subscription continues', async () => {
    const { test } = world({ snapshot: () => 'x'.repeat(200_000) });
    const peer = test.connect({ user: ann });
    expect(await subscribe(peer)).toMatchObject({ type: 'subscribed' });
    expect(await subscribe(peer)).toMatchObject({ code: 'rate-limited' });
    await test.publish('t', 1);
    expect(peer.received()).toMatchObject([{ type: 'event', offset: 1 }]);
  });

  it('[L-9.18] a snapshot of any size is sent once, and must be earned before the next one', async () => {
    const { test } = world({ snapshot: () => 'x'.repeat(1_000_000) });
    const peer = test.connect({ user: ann });
    expect((await subscribe(peer)).snapshot).toHaveLength(1_000_000);
    const { retryAfterMs = 0 } = await subscribe(peer, 'other');
    expect(Math.abs(retryAfterMs - 90_000)).toBeLessThan(10);
    test.clock.advance(retryAfterMs - 10);
    expect(await subscribe(peer, 'other')).toMatchObject({ code: 'rate-limited' });
    test.clock.advance(100_000);
    expect(await subscribe(peer, 'other')).toMatchObject({ type: 'subscribed' });
  });

  it('[L-9.18] a named user is charged across all connections, an anonymous one per connection', async () => {
    const { test } = world({ latest: 'last' });
    await test.publish('t', 'x'.repeat(120_000));
    const codes = [];
    for (const user of [ann, { ...ann }, { id: 'bob' }, null, null])
      codes.push((await subscribe(test.connect({ user }))).code);
    expect(codes).toEqual([undefined, 'rate-limited', undefined, undefined, undefined]);
  });

  it('[L-9.18] a read whose subscriber has left is still charged', async () => {
    let release = (): void => {};
    const { test } = world({
      snapshot: () => new Promise((resolve) => (release = () => resolve('x'.repeat(150_000)))),
    });
    const peer = test.connect({ user: ann });
    await peer.send({ type: 'subscribe', topic: 't' });
    await peer.send({ type: 'unsubscribe', topic: 't' });
    release();
    await test.clock.settle();
    peer.received();
    expect(await subscribe(peer)).toMatchObject({ code: 'rate-limited' });
  });

  it('[L-9.18] concurrent reads of one user stay within the budget, and each gets its turn', async () => {
    const waiting: (() => void)[] = [];
    const rate = { bytesPerSecond: 1_000_000, byteBurst: 4 * 1_048_576 };
    const snapshot = () => new Promise((resolve) => void waiting.push(() => resolve('x')));
    const { test } = world({ snapshot }, { limits: { replayRate: rate } });
    const peers = Array.from({ length: 20 }, () => test.connect({ user: ann }));
    for (const [i, { send }] of peers.entries()) await send({ type: 'subscribe', topic: `t/${String(i)}` });
    expect(waiting).toHaveLength(4);
    // A connection that leaves does not take the turn of another one.
    for (const { session } of peers.slice(4, 12)) session.finished(1000, '');
    for (let i = 0; i < 12; i++) {
      waiting.shift()?.();
      await test.clock.settle();
      expect(waiting.length).toBeLessThanOrEqual(4);
    }
    for (const peer of [...peers.slice(0, 4), ...peers.slice(12)])
      expect(peer.received()).toMatchObject([{ type: 'subscribed', snapshot: 'x' }]);
  });

  it('[L-9.18] a client that returns to a hundred topics with snapshots gets all of them at once', async () => {
    // A hundredth of the default, with snapshots to match.
    const limits = { replayRate: { bytesPerSecond: 20_971, byteBurst: 335_544 } };
    const { test, refused } = world({ snapshot: () => 'x'.repeat(3_000) }, { limits });
    const peer = test.connect({ user: ann });
    for (let i = 0; i < 100; i++)
      expect(await subscribe(peer, `t/${String(i)}`)).toMatchObject({ type: 'subscribed' });
    expect(refused).toEqual([]);
  });
});

describe('Equal recoveries', () => {
  it('[L-5.15] [L-3.10] equal recoveries share one read, and nothing is missing or repeated', async () => {
    const { test, reads, hold } = worldOfHeldReads();
    const { epoch } = (await subscribe(test.connect())) as unknown as { epoch: string };
    for (let i = 1; i <= 3; i++) await test.publish('t', i);
    hold();
    const peers = Array.from({ length: 10 }, () => test.connect());
    for (const [i, { send }] of peers.entries()) {
      await send({ type: 'subscribe', topic: 't', since: { epoch, offset: 1 } });
      // Between two subscribers that share it.
      if (i === 4) await test.publish('t', 4);
    }
    const other = test.connect();
    await other.send({ type: 'subscribe', topic: 't', since: { epoch, offset: 2 } });
    expect(reads).toHaveLength(2);
    for (const read of reads) read();
    await test.clock.settle();
    await test.publish('t', 5);
    for (const peer of peers) {
      const [answer, ...events] = peer.received() as { type: string; offset: number }[];
      expect(answer).toMatchObject({ type: 'subscribed', recovered: true, offset: 1 });
      expect(events.map(({ offset }) => offset)).toEqual([2, 3, 4, 5]);
    }
    expect((other.received() as { offset: number }[]).map(({ offset }) => offset)).toEqual([2, 3, 4, 5]);
  });

  it('[L-5.4] [L-5.15] a subscriber does not share a reading that began before its position existed', async () => {
    const { test, reads, hold } = worldOfHeldReads();
    const { epoch } = (await subscribe(test.connect())) as unknown as { epoch: string };
    hold();
    const [guessing, honest] = [test.connect(), test.connect()];
    const asked = { type: 'subscribe', topic: 't', since: { epoch, offset: 1 } };
    await guessing.send(asked);
    await test.publish('t', 1);
    await honest.send(asked);
    for (const read of reads.splice(0)) read();
    await test.clock.settle();
    for (const read of reads) read();
    await test.clock.settle();
    expect(honest.received()).toMatchObject([{ type: 'subscribed', recovered: true, offset: 1 }]);
    expect(guessing.received()).toMatchObject([
      { type: 'subscribed', recovered: false, offset: 0 },
      { type: 'event', offset: 1 },
    ]);
  });

  it('[L-5.15] a read is held for its last reader, and the topic closes after it', async () => {
    let fail = (): void => {};
    const failed: string[] = [];
    const { test } = world(
      { history },
      {
        observer: { failed: (doing) => void failed.push(doing) },
        broker: (memory) =>
          Object.assign(Object.create(memory) as typeof memory, {
            read: () => new Promise((_resolve, reject) => (fail = () => reject(new Error('no')))),
          }),
      },
    );
    const [one, two] = [test.connect(), test.connect()];
    for (const { send } of [one, two]) await send({ type: 'subscribe', topic: 't' });
    await one.send({ type: 'unsubscribe', topic: 't' });
    expect(test.live.stats().topics).toBe(1);
    fail();
    await test.clock.settle();
    expect(two.received()).toMatchObject([{ type: 'error', code: 'unavailable' }]);
    expect([failed, test.live.stats().topics]).toEqual([['reading a topic of the broker'], 0]);
  });
});

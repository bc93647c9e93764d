import { describe, expect, it } from 'vitest';
import { LiveError } from '../../protocol/live.error.js';
import { TestLive, type TestPeer } from '../../testing/test-live.js';

/** Answers checks as the test sets, and records their times. */
function recheckWorld(check: (user: string) => boolean | Promise<boolean>, recheckMs = 60_000) {
  const asked: string[] = [];
  let asking = 0;
  let maxAsking = 0;
  const test = new TestLive({
    limits: { authorizationRecheckMs: recheckMs, pingIntervalMs: 1e9 },
    rulesFor: () => ({
      canSubscribe: async (user) => {
        asked.push(user?.id ?? '');
        maxAsking = Math.max(maxAsking, ++asking);
        try {
          return await check(user?.id ?? '');
        } finally {
          asking -= 1;
        }
      },
    }),
  });
  const reader = async (user: string): Promise<TestPeer> => {
    const peer = test.connect({ user: { id: user } });
    await peer.send({ type: 'subscribe', topic: 't' });
    peer.received();
    asked.length = 0;
    return peer;
  };
  const pass = async (ms: number, stepMs = 1_000): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      test.clock.advance(stepMs);
      await test.clock.settle();
    }
  };
  return { test, asked, reader, pass, maxAsking: () => maxAsking };
}

describe('the re-check', () => {
  it('[L-3.12] the re-check ends a subscription within its interval after an unannounced revocation', async () => {
    let allowed = true;
    const { reader, pass } = recheckWorld((user) => allowed || user === 'bob');
    const [ann, bob] = [await reader('ann'), await reader('bob')];
    allowed = false;
    await pass(60_000);
    expect(ann.received()).toEqual([
      { type: 'unsubscribed', topic: 't', code: 'forbidden', reason: 'the right to read it has ended' },
    ]);
    expect(bob.received()).toEqual([]);
  });

  it('[L-3.12] the re-check checks every subscription once per interval, spread over it', async () => {
    const { asked, reader, pass } = recheckWorld(() => true);
    const users = Array.from({ length: 90 }, (_, i) => `user-${String(i)}`);
    for (const user of users) await reader(user);
    await pass(60_000);
    for (let round = 0; round < 3; round++) {
      asked.length = 0;
      const perSecond: number[] = [];
      for (let second = 0; second < 60; second++) {
        const before = asked.length;
        await pass(1_000);
        perSecond.push(asked.length - before);
      }
      expect(asked.toSorted()).toEqual(users.toSorted());
      expect(Math.max(...perSecond)).toBe(2);
    }
  });

  it('[L-3.12] the re-check keeps a subscription whose check is unavailable, and ends one whose check fails', async () => {
    let trouble: Error | undefined;
    const { reader, pass } = recheckWorld((user) => {
      if (trouble !== undefined) throw user === 'ann' ? trouble : new Error('a mistake');
      return true;
    });
    const [ann, bob] = [await reader('ann'), await reader('bob')];
    trouble = new LiveError('unavailable', 'The store is away');
    await pass(180_000);
    expect(ann.received()).toEqual([]);
    expect(bob.received()).toMatchObject([
      { type: 'unsubscribed', code: 'unavailable', retryAfterMs: 1_000 },
    ]);
  });

  it('[L-3.12] the re-check uses the current user, and ignores answers about the previous credential', async () => {
    const answers: ((is: boolean) => void)[] = [];
    const test = new TestLive({
      verify: async () => ({ user: { id: 'ann', fresh: true } }),
      limits: { authorizationRecheckMs: 1_000 },
      rulesFor: () => ({
        canSubscribe: (user) =>
          user?.['stale'] === true ? new Promise((resolve) => answers.push(resolve)) : true,
      }),
    });
    const peer = test.connect({ user: { id: 'ann', stale: true } });
    await peer.send({ type: 'subscribe', topic: 't' });
    answers.shift()?.(true);
    await test.clock.settle();
    test.clock.advance(1_000);
    await peer.send({ type: 'auth', token: 'x' });
    answers.shift()?.(false);
    await test.clock.settle();
    expect(peer.received().map((message) => (message as { type: string }).type)).toEqual([
      'subscribed',
      'authenticated',
    ]);
  });

  it('the re-check has few checks in progress, and a slow check prolongs the round', async () => {
    const answers: (() => void)[] = [];
    let slow = false;
    const { reader, pass, asked, maxAsking } = recheckWorld(
      () => !slow || new Promise<boolean>((resolve) => answers.push(() => resolve(true))),
      1_000,
    );
    for (let i = 0; i < 300; i++) await reader(`user-${String(i)}`);
    slow = true;
    await pass(4_000, 20);
    expect(asked.length).toBeLessThanOrEqual(16);
    for (let i = 0; i < 400; i++) {
      answers.shift()?.();
      await pass(20, 20);
    }
    expect(asked.length).toBeGreaterThan(100);
    expect(maxAsking()).toBeLessThanOrEqual(16);
  });

  it('[L-3.12] a re-check leaves out recent checks: 60 slow topics of a new connection are 60 checks', async () => {
    const topics = Array.from({ length: 60 }, (_, i) => ({ topic: `t${String(i)}` }));
    let questions = 0;
    const test = new TestLive({
      limits: { authorizationRecheckMs: 60_000, pingIntervalMs: 1e9 },
      rulesFor: () => ({
        canSubscribe: () => {
          questions += 1;
          return new Promise((resolve) => test.clock.after(300, () => resolve(true)));
        },
      }),
    });
    const pass = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 100) {
        test.clock.advance(100);
        await test.clock.settle();
      }
    };
    const peer = test.connect();
    await peer.send({ type: 'subscribe', topics });
    await pass(29_000);
    expect([peer.session.connection.topics.length, questions]).toEqual([60, 60]);
    await pass(31_000);
    expect(questions).toBe(120);
  });

  it('[L-3.12] a re-check leaves out a pending subscribe', async () => {
    const { test, asked, pass } = recheckWorld(() => new Promise(() => {}), 2_000);
    const peer = test.connect();
    await pass(1_500, 20);
    await peer.send({ type: 'subscribe', topic: 't' });
    await pass(4_000, 20);
    expect(asked).toEqual(['ann']);
  });

  it('the re-check is disabled with 0, and ends with the drain', async () => {
    const off = recheckWorld(() => true, 0);
    await off.reader('ann');
    await off.pass(200_000, 20_000);
    expect(off.asked).toEqual([]);
    const on = recheckWorld(() => true);
    const before = on.test.clock.timerCount;
    void on.test.live.drain(1_000);
    on.test.clock.advance(2_000);
    expect(on.test.clock.timerCount).toBe(before - 3);
  });
});

import { describe, expect, it } from 'vitest';
import { LiveError } from '../../protocol/live.error.js';
import { subscribe, unsubscribe } from '../../testing/question-world.js';
import { TestLive } from '../../testing/test-live.js';
import { requests } from '../cluster/requests.js';

/** A server whose only check is answered by the test, call by call. */
function lateWorld() {
  const questions: { user: string; answer: (allowed: boolean) => void; fail: (error: Error) => void }[] = [];
  const test = new TestLive({
    rulesFor: () => ({
      canSubscribe: (user) =>
        new Promise<boolean>((answer, fail) => {
          questions.push({ user: `${user?.id ?? ''} ${String(user?.['role'])}`, answer, fail });
        }),
    }),
    limits: { authorizationRecheckMs: 0, authorizationTimeoutMs: 5_000, pingIntervalMs: 1e9 },
    // The token is the role.
    verify: async (role) => ({ user: { id: 'ann', role } }),
  });
  const peer = test.connect({ user: { id: 'ann', role: 'old' } });
  const pass = async (ms: number): Promise<void> => {
    test.clock.advance(ms);
    await test.clock.settle();
  };
  const answer = async (question: number, allowed: boolean): Promise<void> => {
    questions[question - 1]?.answer(allowed);
    await test.clock.settle();
  };
  return {
    test,
    send: peer.send,
    pass,
    answer,
    fail: async (question: number, error: Error) => {
      questions[question - 1]?.fail(error);
      await test.clock.settle();
    },
    asked: () => questions.map(({ user }) => user),
    said: () =>
      peer.received().map((message) => {
        const { type, id, code } = message as Record<string, unknown>;
        return [type, id, code].filter(Boolean).join(' ');
      }),
    topics: () => peer.session.connection.topics,
  };
}

const renew = { type: 'auth', token: 'new' };

describe('A late answer about a right', () => {
  it('[L-3.4] a client that retries gets the late answer without a second check', async () => {
    const { send, pass, answer, asked, said } = lateWorld();
    await send(subscribe('t', 1));
    await pass(5_000);
    await send(subscribe('t', 2));
    expect([said(), asked()]).toEqual([['error 1 unavailable'], ['ann old']]);
    await answer(1, true);
    expect(said()).toEqual(['subscribed 2']);
  });

  it('[L-3.4] a late answer between two tries serves the second one, and no third', async () => {
    const { send, pass, answer, asked, said } = lateWorld();
    await send(subscribe('t', 1));
    await pass(5_500);
    await answer(1, true);
    await pass(500);
    await send(subscribe('t', 2));
    expect(said()).toEqual(['error 1 unavailable', 'subscribed 2']);
    await send(unsubscribe('t', 3));
    await send(subscribe('t', 4));
    expect(asked()).toEqual(['ann old', 'ann old']);
  });

  it('[L-3.4] a check that takes longer than two timeouts serves the third try', async () => {
    const { send, pass, answer, asked, said } = lateWorld();
    for (const id of [1, 2, 3]) {
      await send(subscribe('t', id));
      await pass(id === 3 ? 2_000 : 5_000);
    }
    await answer(1, true);
    expect([asked(), said()]).toEqual([
      ['ann old'],
      ['error 1 unavailable', 'error 2 unavailable', 'subscribed 3'],
    ]);
  });

  it('[L-3.4] a missing answer is awaited until the check is four timeouts old', async () => {
    const { send, pass, asked } = lateWorld();
    for (let id = 1; id <= 4; id++) {
      await send(subscribe('t', id));
      await pass(5_000);
    }
    expect(asked()).toHaveLength(1);
    await send(subscribe('t', 5));
    expect(asked()).toHaveLength(2);
  });

  it('[L-3.4] after a check that was late and failed, the application is asked again', async () => {
    const { send, pass, fail, asked } = lateWorld();
    await send(subscribe('t', 1));
    await pass(5_500);
    await fail(1, new LiveError('unavailable', 'The store is away'));
    await send(subscribe('t', 2));
    expect(asked()).toHaveLength(2);
  });

  it('[L-3.7] a late answer does not count after an unsubscribe', async () => {
    const { send, pass, asked } = lateWorld();
    await send(subscribe('t', 1));
    await pass(5_000);
    await send(unsubscribe('t', 2));
    await send(subscribe('t', 3));
    expect(asked()).toHaveLength(2);
  });

  it('[L-3.4] a late answer still counts after an unsubscribe from another topic', async () => {
    const { send, pass, asked } = lateWorld();
    await send(subscribe('t', 1));
    await send(unsubscribe('other', 2));
    await pass(5_000);
    await send(subscribe('t', 3));
    expect(asked()).toHaveLength(1);
  });
});

describe('A late answer about the rights of the credential before', () => {
  it('[L-7.3] a late answer about the previous credential is not used', async () => {
    const { send, pass, answer, asked, topics } = lateWorld();
    await send(subscribe('t'));
    await pass(5_000);
    await send(renew);
    await send(subscribe('t'));
    expect(asked()).toEqual(['ann old', 'ann new']);
    await answer(1, true);
    await answer(2, false);
    expect(topics()).toEqual([]);
  });

  it('[L-7.3] an answer about the previous credential that becomes late after the new one is not kept', async () => {
    const { send, pass, answer, asked, topics } = lateWorld();
    await send(subscribe('t', 1));
    await pass(3_000);
    // The review of the pending topic checks the new credential and ends the subscribe.
    await send(renew);
    await answer(2, false);
    await pass(2_000);
    await answer(1, true);
    await send(subscribe('t', 2));
    expect(asked()).toEqual(['ann old', 'ann new', 'ann new']);
    expect(topics()).toEqual([]);
  });

  it('[L-7.3] a late answer that a second try awaits does not count once there is a new credential', async () => {
    const { send, pass, answer, asked, topics } = lateWorld();
    await send(subscribe('t'));
    await pass(5_000);
    await send(subscribe('t'));
    await send(renew);
    await answer(2, true);
    await answer(1, true);
    // The review allowed the topic, but only a check of the new credential starts it.
    expect([asked(), topics()]).toEqual([['ann old', 'ann new', 'ann new'], []]);
    await answer(3, true);
    expect(topics()).toEqual(['t']);
  });
});

describe('A late answer from before a change of rights', () => {
  it('[L-3.12] a late answer from before a change of rights is not used', async () => {
    const { test, send, pass, answer, asked, topics } = lateWorld();
    await send(subscribe('t'));
    await pass(5_000);
    const done = test.live.cluster.give(requests.reauthorize({ topic: 't' }));
    await answer(1, true);
    await done;
    await send(subscribe('t'));
    expect([asked(), topics()]).toEqual([['ann old', 'ann old'], []]);
  });
});

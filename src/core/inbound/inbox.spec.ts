import { describe, expect, it } from 'vitest';
import { questionWorld as world, subscribe, unsubscribe } from '../../testing/question-world.js';
import type { LiveUser } from '../ports/identity.js';

describe('Messages of one connection', () => {
  it('[L-2.8] [L-9.15] 60 topics are authorized side by side, each once, and none is refused', async () => {
    const { send, asked, answer, said } = world();
    const topics = Array.from({ length: 60 }, (_, i) => `t${String(i)}`);
    for (const topic of topics) await send(subscribe(topic));
    expect(asked).toEqual(topics.slice(0, 15));
    for (let i = 0; i < 60; i++) await answer(topics[i] ?? '');
    expect(asked).toEqual(topics);
    expect(said().toSorted()).toEqual(topics.map((topic) => `subscribed ${topic}`).toSorted());
  });

  it('[L-2.8] a ping, an unsubscribe and a new credential do not wait for slow authorization', async () => {
    const { send, said } = world({ verify: async () => ({ user: { id: 'not who is connected' } }) });
    for (let i = 0; i < 30; i++) await send(subscribe(`t${String(i)}`));
    await send({ type: 'ping', id: 1 });
    await send({ type: 'auth', id: 4, token: 'x' });
    await send(unsubscribe('elsewhere', 2));
    await send(unsubscribe('t29', 3));
    expect(said()).toEqual([
      'pong 1',
      'error 4 forbidden',
      'unsubscribed 2 elsewhere',
      'error t29 unavailable',
      'unsubscribed 3 t29',
    ]);
  });

  it('[L-3.8] a topic beyond the limit waits for pending ones, and is refused only when they are subscribed', async () => {
    const { send, answer, said, asked } = world({ limits: { maxTopicsPerConnection: 2 } });
    for (const id of [1, 2, 3, 4]) await send(subscribe(`t${String(id)}`, id));
    expect([asked, said()]).toEqual([['t1', 't2'], []]);
    await answer('t1', false);
    expect([asked, said()]).toEqual([['t1', 't2', 't3'], ['error 1 t1 forbidden']]);
    await answer('t2');
    await answer('t3');
    expect(said()).toEqual(['subscribed 2 t2', 'subscribed 3 t3', 'error 4 t4 limit-exceeded']);
  });

  it('[L-2.8] messages about one topic keep their order', async () => {
    const { send, answer, said, asked } = world();
    await send(subscribe('t', 1));
    await send({ type: 'publish', id: 2, topic: 't', data: 'own' });
    await send({ type: 'publish', id: 3, topic: 'other', data: 1 });
    await answer('other');
    expect([asked, said()]).toEqual([['t', 'other'], ['published 3 other']]);
    await answer('t');
    expect(said()).toEqual(['subscribed 1 t']);
    await answer('t');
    expect(said().toSorted()).toEqual(['event t', 'published 2 t']);
  });

  it('[L-2.8] an unsubscribe does not wait for a publish to its topic', async () => {
    const { send, answer, said } = world();
    await send({ type: 'publish', id: 1, topic: 't', data: 1 });
    await send(subscribe('t', 2));
    await send(unsubscribe('t', 3));
    expect(said()).toEqual(['error 2 t unavailable', 'unsubscribed 3 t']);
    await answer('t');
    expect(said()).toEqual(['published 1 t']);
  });

  it('[L-7.3] a message that needs authorization waits for a new credential sent before it', async () => {
    let verified: (identity: { user: LiveUser }) => void = () => {};
    const users: unknown[] = [];
    const { send, said, test } = world({
      verify: () => new Promise((resolve) => (verified = resolve)),
      rulesFor: () => ({ canSubscribe: (user) => users.push(user?.['fresh']) > 0 }),
    });
    await send({ type: 'auth', id: 1, token: 'x' });
    await send(subscribe('t', 2));
    await send({ type: 'ping', id: 3 });
    expect(said()).toEqual(['pong 3']);
    verified({ user: { id: 'ann', fresh: true } });
    await test.clock.settle();
    expect(said()).toEqual(['authenticated 1', 'subscribed 2 t']);
    expect(users).toEqual([true]);
  });

  it.each([
    { maxRate: 5 },
    { maxMessageBytes: 4_096 },
    { pages: true },
    { since: { epoch: 'e', offset: 1 } },
  ])(
    '[L-3.5] an identical subscribe joins the pending one: one check, and an answer for each; one with %j waits',
    async (other) => {
      const { send, asked, answer, said, test } = world();
      await send(subscribe('t', 1));
      await send(subscribe('t', 2));
      await send(subscribe('t', 3, other));
      expect(asked).toEqual(['t']);
      await answer('t');
      expect(said()).toEqual(['subscribed 1 t', 'subscribed 2 t']);
      expect(asked).toEqual(['t', 't']);
      await answer('t');
      await test.publish('t', 1);
      expect(said()).toEqual(['subscribed 3 t', 'event t']);
      expect(test.live.stats().subscriptions).toBe(1);
    },
  );

  it('[L-3.7] an unsubscribe cancels every joined subscribe', async () => {
    const { send, answer, said, test } = world();
    for (const id of [1, 2]) await send(subscribe('t', id));
    await send(unsubscribe('t', 3));
    expect(said()).toEqual(['error 1 t unavailable', 'error 2 t unavailable', 'unsubscribed 3 t']);
    await answer('t');
    expect(test.live.stats()).toMatchObject({ topics: 0, subscriptions: 0 });
  });

  it('[L-3.7] a subscribe after an unsubscribe that canceled two is not canceled with them', async () => {
    const { send, answer, said, test } = world();
    for (const id of [1, 2]) await send(subscribe('t', id));
    await send(unsubscribe('t', 3));
    said();
    await send(subscribe('t', 4));
    await answer('t');
    await answer('t');
    expect(said()).toEqual(['subscribed 4 t']);
    expect(test.live.stats().subscriptions).toBe(1);
  });
});

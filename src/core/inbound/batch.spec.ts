import { describe, expect, it } from 'vitest';
import { questionWorld as world, type Received } from '../../testing/question-world.js';
import { TestLive } from '../../testing/test-live.js';

describe('A message with many topics', () => {
  const error = (message: string, code = 'protocol-violation') => ({ type: 'error', id: 1, code, message });

  it('[L-3.14] a message with many topics is answered topic by topic, each like a separate message', async () => {
    const { send, answer, said, asked } = world();
    const topics = ['a', 'b', 'c'].map((topic) => ({ topic }));
    await send({ type: 'subscribe', id: 1, topics });
    await answer('b', false);
    expect([asked, said()]).toEqual([['a', 'b', 'c'], ['error 1 b forbidden']]);
    await answer('c');
    await send({ type: 'unsubscribe', id: 2, topics: ['a', 'c'] });
    expect(said()).toEqual([
      'subscribed 1 c',
      'unsubscribed 2 c',
      'error 1 a unavailable',
      'unsubscribed 2 a',
    ]);
  });

  it('[L-3.14] a message with many topics has a position and a rate per topic, and an invalid one affects only its topic', async () => {
    const test = new TestLive();
    const { send, received, session } = test.connect();
    const { epoch } = await test.live.publish('a', 1);
    await send({
      type: 'subscribe',
      id: 1,
      topics: [
        { topic: 'a', since: { epoch, offset: 1 } },
        { topic: 'b', since: 7 },
        { topic: 'c', maxRate: 2 },
      ],
    });
    const answers = received() as Received[];
    expect(
      answers.toSorted((one, other) => (String(one['topic']) < String(other['topic']) ? -1 : 1)),
    ).toEqual([
      { type: 'subscribed', id: 1, topic: 'a', epoch, offset: 1, recovered: true },
      expect.objectContaining({ type: 'error', id: 1, topic: 'b', code: 'protocol-violation' }),
      expect.objectContaining({ type: 'subscribed', id: 1, topic: 'c' }),
    ]);
    expect(session.connection.topics).toEqual(['a', 'c']);
  });

  it.each([
    ['an empty list', { topics: [] }, '"topics" must be a list of topics'],
    ['a value that is not a list', { topics: 'a' }, '"topics" must be a list of topics'],
    [
      'a topic beside the list',
      { topic: 'a', topics: [{ topic: 'b' }] },
      '"topic" and "topics" exclude each other',
    ],
    [
      'names instead of objects',
      { topics: ['a'] },
      '"topics" must be a list of {"topic", "since"?, "maxRate"?, "maxMessageBytes"?, "pages"?, "entries"?}',
    ],
    [
      'no topic name',
      { topics: [{ topic: '$a' }] },
      '"topics" must be a list of {"topic", "since"?, "maxRate"?, "maxMessageBytes"?, "pages"?, "entries"?}',
    ],
    ['a topic twice', { topics: [{ topic: 'a' }, { topic: 'a' }] }, '"topics" must name each topic once'],
  ])(
    '[L-3.14] a message with many topics is refused as a whole, without a topic, for %s',
    async (_what, fields, message) => {
      const { send, received, asked } = world();
      await send({ type: 'subscribe', id: 1, ...fields });
      expect([received(), asked]).toEqual([[error(message)], []]);
    },
  );

  it('[L-3.14] a message cannot name more topics than a connection may have', async () => {
    const test = new TestLive({ limits: { maxTopicsPerConnection: 2 } });
    const { send, received } = test.connect();
    await send({ type: 'unsubscribe', id: 1, topics: ['a', 'b', 'c'] });
    expect(received()).toEqual([error('A message may name at most 2 topics', 'limit-exceeded')]);
  });

  it('[L-3.14] [L-9.10] 16 topics count as one message, so that switching 100 topics every 2 s is never refused', async () => {
    const inboundRate = {
      messagesPerSecond: 20,
      messageBurst: 168,
      bytesPerSecond: 65_536,
      byteBurst: 196_608,
    };
    const test = new TestLive({ limits: { inboundRate, pingIntervalMs: 1e9 } });
    const { send, received } = test.connect();
    const dashboard = (name: string) => Array.from({ length: 100 }, (_, i) => `${name}/${String(i)}`);
    for (let flip = 0; flip < 60; flip++) {
      const [shown, hidden] = flip % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
      await send({ type: 'unsubscribe', topics: dashboard(hidden) });
      await send({ type: 'subscribe', topics: dashboard(shown).map((topic) => ({ topic })) });
      test.clock.advance(2_000);
    }
    expect(new Set(received().map((message) => (message as Received)['type']))).toEqual(
      new Set(['subscribed', 'unsubscribed']),
    );
  });
});

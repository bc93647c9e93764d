import { describe, expect, it } from 'vitest';
import { LiveObservers, LiveTopic } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { deferred, type Deferred } from './support/deferred.js';
import { type LiveApp, OpenTopics, type Platform, platforms, startLiveApp } from './support/live-app.js';

/** A call to the application that has not been answered yet. */
type Question = Deferred<unknown>;

/** Topics whose authorization (`slow/*`) or snapshot (`state/*`) waits for the test. */
function slowTopics() {
  const questions: Question[] = [];
  let wake = (): void => {};
  const ask = (): Promise<unknown> => {
    const question = deferred<unknown>();
    questions.push(question);
    wake();
    return question.promise;
  };
  @LiveTopic('slow/*', { history: { size: 10 } })
  class SlowTopics {
    canSubscribe(): Promise<boolean> {
      return ask() as Promise<boolean>;
    }
  }
  @LiveTopic('state/*')
  class StateTopics {
    canSubscribe(): boolean {
      return true;
    }

    snapshot(): unknown {
      return ask();
    }
  }
  /** Resolves once the application has been called `count` times in total. */
  const asked = async (count: number): Promise<Question> => {
    while (questions.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return questions[count - 1] as Question;
  };
  return { providers: [OpenTopics, SlowTopics, StateTopics], questions, asked };
}

async function start(platform: Platform) {
  const topics = slowTopics();
  const app = await startLiveApp({ platform, providers: topics.providers });
  const client = await LiveTestClient.connect(app.url, { token: 'ann' });
  await client.next();
  return { ...app, ...topics, client };
}

async function publishMany(live: LiveApp['live'], topic: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await live.publish(topic, i);
}

const epoch = expect.any(String) as unknown as string;
const canceled = (topic: string, id: number) => ({
  type: 'error',
  id,
  code: 'unavailable',
  message: 'The subscribe was canceled',
  topic,
});
const event = (topic: string, offset: number, data: unknown) => ({ type: 'event', topic, offset, data });

describe.each(platforms)('3. A subscribe that is taken back, on %s', (_name, platform) => {
  it.each([
    ['authorized', 'slow/1', true],
    ['given its snapshot', 'state/1', { speed: 7 }],
  ])(
    '[L-3.7] a subscribe that is canceled before it is %s gets unavailable at once',
    async (_what, topic, late) => {
      const { client, live, asked } = await start(platform);
      client.send({ type: 'subscribe', id: 1, topic });
      const question = await asked(1);
      client.send({ type: 'unsubscribe', id: 2, topic });
      expect(await client.settle()).toEqual([canceled(topic, 1), { type: 'unsubscribed', id: 2, topic }]);
      question.resolve(late);
      await live.publish(topic, 'secret');
      expect(await client.settle()).toEqual([]);
      expect(live.stats()).toMatchObject({ topics: 0, subscriptions: 0 });
    },
  );

  it('[L-3.7] an unsubscribe cancels only the subscribe to its own topic', async () => {
    const { client, asked } = await start(platform);
    client.send({ type: 'subscribe', id: 1, topic: 'slow/1' });
    client.send({ type: 'unsubscribe', id: 2, topic: 'slow/2' });
    (await asked(1)).resolve(true);
    expect((await client.settle()).toReversed()).toEqual([
      { type: 'subscribed', id: 1, topic: 'slow/1', epoch, offset: 0, recovered: false },
      { type: 'unsubscribed', id: 2, topic: 'slow/2' },
    ]);
  });

  it('[L-3.7] a client can subscribe again after canceling, and the late answer to the first subscribe is discarded', async () => {
    const { client, live, asked } = await start(platform);
    client.send({ type: 'subscribe', id: 1, topic: 'slow/1' });
    const first = await asked(1);
    client.send({ type: 'unsubscribe', id: 2, topic: 'slow/1' });
    client.send({ type: 'subscribe', id: 3, topic: 'slow/1' });
    const second = await asked(2);
    first.resolve(true);
    second.resolve(false);
    expect((await client.settle()).map(({ type, id, code }) => [type, id, code])).toEqual([
      ['error', 1, 'unavailable'],
      ['unsubscribed', 2, undefined],
      ['error', 3, 'forbidden'],
    ]);
    expect(live.stats()).toMatchObject({ topics: 0, subscriptions: 0 });
  });

  it.each([
    ['authorized', 'slow/1', true],
    ['given its snapshot', 'state/1', { speed: 7 }],
  ])(
    '[L-3.7] a subscribe is discarded when its connection ends before it is %s',
    async (_what, topic, late) => {
      const { client, live, app, url, asked } = await start(platform);
      const gone = deferred();
      app.get(LiveObservers).add({ closed: () => gone.resolve() });
      client.send({ type: 'subscribe', id: 1, topic });
      const question = await asked(1);
      client.socket.terminate();
      await gone.promise;
      question.resolve(late);
      const other = await LiveTestClient.connect(url, { token: 'bob' });
      await other.settle();
      expect(live.stats()).toMatchObject({ connections: 1, topics: 0, subscriptions: 0 });
    },
  );
});

describe.each(platforms)('3. Publications while a subscribe is pending, on %s', (_name, platform) => {
  it('[L-3.10] a subscribe is answered first, then held publications follow, then live ones', async () => {
    const { client, live, asked } = await start(platform);
    await publishMany(live, 'state/1', 2);
    client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
    const question = await asked(1);
    for (const data of ['held', 'back']) await live.publish('state/1', data);
    question.resolve({ speed: 7 });
    await client.nextOf('subscribed');
    await live.publish('state/1', 'live');
    await client.settle();
    expect(client.transcript.slice(1, -1)).toEqual([
      {
        type: 'subscribed',
        id: 1,
        topic: 'state/1',
        epoch,
        offset: 2,
        recovered: false,
        snapshot: { speed: 7 },
      },
      event('state/1', 3, 'held'),
      event('state/1', 4, 'back'),
      event('state/1', 5, 'live'),
    ]);
  });

  it('[L-3.10] a subscribe is answered first, then recovered publications follow, then live ones', async () => {
    const { client, live, asked } = await start(platform);
    const since = await live.publish('slow/1', 'seen');
    await live.publish('slow/1', 'missed');
    client.send({ type: 'subscribe', id: 1, topic: 'slow/1', since });
    const question = await asked(1);
    await live.publish('slow/1', 'meanwhile');
    question.resolve(true);
    await client.nextOf('subscribed');
    await live.publish('slow/1', 'live');
    await client.settle();
    expect(client.transcript.slice(1, -1)).toEqual([
      { type: 'subscribed', id: 1, topic: 'slow/1', ...since, recovered: true },
      event('slow/1', 2, 'missed'),
      event('slow/1', 3, 'meanwhile'),
      event('slow/1', 4, 'live'),
    ]);
  });

  it('[L-3.10] subscribing while publications never stop leaves no gap and no duplicate', async () => {
    const { client, live, asked } = await start(platform);
    const work = { stopped: false, published: 0 };
    const publishing = (async () => {
      for (; !work.stopped; work.published++) {
        await live.publish('state/1', work.published);
        await new Promise(setImmediate);
      }
    })();
    for (let round = 1; round <= 10; round++) {
      client.send({ type: 'subscribe', id: round, topic: 'state/1' });
      (await asked(round)).resolve({ round });
      await client.nextOf('subscribed');
      await client.nextOf('event');
    }
    work.stopped = true;
    await publishing;
    await client.settle();
    let last = Number.NaN;
    for (const message of client.transcript) {
      if (message.type === 'subscribed') last = message['offset'] as number;
      if (message.type === 'event') expect(message['offset']).toBe((last += 1));
    }
    expect(last).toBe(work.published);
  });

  it('[L-3.11] a pending subscribe holds 1,000 publications', async () => {
    const { client, live, asked } = await start(platform);
    client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
    const question = await asked(1);
    await publishMany(live, 'state/1', 1_000);
    question.resolve(null);
    const [answer, ...events] = await client.settle();
    expect(answer).toMatchObject({ type: 'subscribed', offset: 0, snapshot: null });
    expect(events).toEqual(Array.from({ length: 1_000 }, (_, i) => event('state/1', i + 1, i)));
  });

  it('[L-3.11] a pending subscribe that overflows its buffer starts over once', async () => {
    const { client, live, asked, questions } = await start(platform);
    client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
    const first = await asked(1);
    await publishMany(live, 'state/1', 1_001);
    first.resolve('old');
    const second = await asked(2);
    await live.publish('state/1', 'held');
    second.resolve('new');
    expect(await client.settle()).toEqual([
      {
        type: 'subscribed',
        id: 1,
        topic: 'state/1',
        epoch,
        offset: 1_001,
        recovered: false,
        snapshot: 'new',
      },
      event('state/1', 1_002, 'held'),
    ]);
    expect(questions).toHaveLength(2);
  });

  it.each([
    ['1,001 publications', 1_001, 'x'],
    ['1 MiB', 2, 'x'.repeat(524_288)],
  ])(
    '[L-3.11] a subscribe gets unavailable when %s overflow its buffer twice',
    async (_what, count, data) => {
      const { client, live, asked } = await start(platform);
      client.send({ type: 'subscribe', id: 1, topic: 'state/1' });
      for (const turn of [1, 2]) {
        const question = await asked(turn);
        for (let i = 0; i < count; i++) await live.publish('state/1', data);
        question.resolve('state');
      }
      const message = 'Too much was published while subscribing';
      const error = {
        type: 'error',
        id: 1,
        code: 'unavailable',
        message,
        topic: 'state/1',
        retryAfterMs: 1_000,
      };
      expect(await client.settle()).toEqual([error]);
      expect(live.stats()).toMatchObject({ topics: 0, subscriptions: 0 });
    },
  );
});

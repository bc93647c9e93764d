import { ForbiddenException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { LiveTopic } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import {
  type LiveApp,
  type LiveAppOptions,
  OpenTopics,
  type Platform,
  platforms,
  startLiveApp,
} from './support/live-app.js';

/** Accepts every possible topic, so that tests can choose any name. */
@LiveTopic('**')
class AnyTopics {
  canSubscribe(): boolean {
    return true;
  }
}

/** `private/:owner`: only its owner may subscribe. */
@LiveTopic('private/:owner')
class PrivateTopics {
  canSubscribe(user: { id: string } | null, { owner }: { owner: string }): boolean {
    return user?.id === owner;
  }
}

/** A topic whose `canSubscribe` runs `decide`. */
function topicThat(decide: () => unknown): new () => object {
  @LiveTopic('odd')
  class OddTopic {
    canSubscribe(): boolean {
      return decide() as boolean;
    }
  }
  return OddTopic;
}

interface Started extends LiveApp {
  readonly client: LiveTestClient;
}

async function start(platform: Platform, setup: LiveAppOptions = {}): Promise<Started> {
  const app = await startLiveApp({ platform, ...setup });
  const client = await LiveTestClient.connect(app.url, { token: 'ann' });
  await client.next();
  return { ...app, client };
}

const epoch = expect.any(String) as unknown as string;
const subscribed = (topic: string, more: object = {}) => ({
  type: 'subscribed',
  topic,
  epoch,
  offset: 0,
  recovered: false,
  ...more,
});
const event = (topic: string, offset: number, data: unknown) => ({ type: 'event', topic, offset, data });
const forbidden = (topic: string, id?: number) => ({
  type: 'error',
  ...(id !== undefined && { id }),
  code: 'forbidden',
  message: 'You may not do this with this topic',
  topic,
});

describe.each(platforms)('3. Names of topics, on %s', (_name, platform) => {
  it.each(['a', '0', 'a/b', '_.~-', '...', 'fleet/7/vehicles/12', 'a'.repeat(128), `${'a/'.repeat(63)}bb`])(
    '[L-3.1] the topic name %s is valid',
    async (topic) => {
      const { client } = await start(platform, { providers: [AnyTopics] });
      expect(await client.request({ type: 'subscribe', id: 1, topic })).toEqual(subscribed(topic, { id: 1 }));
    },
  );

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    'a b',
    'é',
    'a\n',
    'a*',
    'a:b',
    'a?',
    '$',
    '$sys',
    '$sys/load',
    'a/$b',
    '.',
    '..',
    './a',
    'a/..',
    'a/../b',
    'a/%2e%2e/b',
    'a'.repeat(129),
  ])('[L-3.1] the invalid topic name %j gets a violation in every verb', async (topic) => {
    const { client } = await start(platform, { providers: [AnyTopics] });
    const message = expect.stringContaining('topic') as unknown as string;
    const error = (id: number) => ({ type: 'error', id, code: 'protocol-violation', message });
    ['subscribe', 'unsubscribe', 'publish'].forEach((type, id) => client.send({ type, id, topic, data: 1 }));
    expect(await client.settle()).toEqual([error(0), error(1), error(2)]);
  });
});

describe.each(platforms)('3. Subscribing, on %s', (_name, platform) => {
  it('[L-3.2] a subscribe is answered with the current position, and every later publication follows', async () => {
    const { client, live } = await start(platform);
    const before = await live.publish('open/1', 'before');
    client.send({ type: 'subscribe', id: 's', topic: 'open/1' });
    expect(await client.settle()).toEqual([
      subscribed('open/1', { id: 's', epoch: before.epoch, offset: 1 }),
    ]);
    for (const data of ['a', 'b']) await live.publish('open/1', data);
    expect(await client.settle()).toEqual([event('open/1', 2, 'a'), event('open/1', 3, 'b')]);
  });

  it('[L-3.2] a subscriber gets no events of other topics', async () => {
    const { client, live } = await start(platform);
    client.send({ type: 'subscribe', topic: 'open/1' });
    await client.settle();
    await live.publish('open/2', 'elsewhere');
    expect(await client.settle()).toEqual([]);
  });

  it('[L-3.3] a forbidden topic and an undeclared topic get the same answer', async () => {
    const { client } = await start(platform, { providers: [PrivateTopics] });
    client.send({ type: 'subscribe', id: 1, topic: 'private/ann' });
    client.send({ type: 'subscribe', id: 2, topic: 'private/bob' });
    client.send({ type: 'subscribe', id: 3, topic: 'private/bob/7' });
    client.send({ type: 'subscribe', id: 4, topic: 'nowhere' });
    const answers = await client.settle();
    expect(answers.toSorted((one, other) => Number(one['id']) - Number(other['id']))).toEqual([
      subscribed('private/ann', { id: 1 }),
      forbidden('private/bob', 2),
      forbidden('private/bob/7', 3),
      forbidden('nowhere', 4),
    ]);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('the database is away');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the database is away'))],
    ['does not answer in time', () => new Promise(() => {})],
  ])('[L-3.4] a check that %s admits nobody, and the subscribe gets unavailable', async (_does, decide) => {
    const options = { authorizationTimeoutMs: 50 };
    const { client, live } = await start(platform, { providers: [topicThat(decide)], options });
    const answer = await client.request({ type: 'subscribe', id: 1, topic: 'odd' });
    expect(answer).toMatchObject({ type: 'error', code: 'unavailable', topic: 'odd' });
    expect(answer['retryAfterMs']).toBeGreaterThan(0);
    await live.publish('odd', 'secret');
    expect(await client.settle()).toEqual([]);
    expect(live.stats()).toMatchObject({ topics: 0, subscriptions: 0 });
  });

  it.each<[string, () => unknown]>([
    ['1', () => 1],
    ['"true" later', () => Promise.resolve('true')],
    ['nothing', () => undefined],
    ['a rejection with ForbiddenException', () => Promise.reject(new ForbiddenException())],
  ])('[L-3.4] a check that returns %s denies the subscribe', async (_says, decide) => {
    const { client, live } = await start(platform, { providers: [topicThat(decide)] });
    client.send({ type: 'subscribe', id: 1, topic: 'odd' });
    expect(await client.settle()).toEqual([forbidden('odd', 1)]);
    await live.publish('odd', 'secret');
    expect(await client.settle()).toEqual([]);
    expect(live.stats()).toMatchObject({ topics: 0, subscriptions: 0 });
  });

  it('[L-3.5] a second subscribe to a topic is answered from a new position, and no event is sent twice', async () => {
    const { client, live } = await start(platform);
    client.send({ type: 'subscribe', id: 1, topic: 'open/1' });
    await client.settle();
    await live.publish('open/1', 'a');
    client.send({ type: 'subscribe', id: 2, topic: 'open/1' });
    expect(await client.settle()).toEqual([
      event('open/1', 1, 'a'),
      subscribed('open/1', { id: 2, offset: 1 }),
    ]);
    await live.publish('open/1', 'b');
    expect(await client.settle()).toEqual([event('open/1', 2, 'b')]);
    expect(live.stats()).toMatchObject({ topics: 1, subscriptions: 1 });
  });

  it('[L-3.8] a connection may have 128 topics, and one more gets limit-exceeded', async () => {
    const { client, live } = await start(platform);
    for (let i = 1; i <= 128; i++) client.send({ type: 'subscribe', id: i, topic: `open/${String(i)}` });
    const answers = await client.settle();
    expect(answers.map(({ type }) => type)).toEqual(Array<string>(128).fill('subscribed'));
    client.send({ type: 'subscribe', id: 129, topic: 'open/129' });
    expect(await client.settle()).toEqual([
      {
        type: 'error',
        id: 129,
        code: 'limit-exceeded',
        message: 'A connection has at most 128 topics',
        topic: 'open/129',
      },
    ]);
    // Subscribing to a topic again takes no additional place, and leaving a topic frees one.
    client.send({ type: 'subscribe', id: 'again', topic: 'open/128' });
    client.send({ type: 'unsubscribe', topic: 'open/1' });
    client.send({ type: 'subscribe', id: 'room', topic: 'open/129' });
    expect(await client.settle()).toEqual([
      { type: 'unsubscribed', topic: 'open/1' },
      subscribed('open/128', { id: 'again' }),
      subscribed('open/129', { id: 'room' }),
    ]);
    expect(live.stats()).toMatchObject({ topics: 128, subscriptions: 128 });
  });
});

describe.each(platforms)('3. Unsubscribing, on %s', (_name, platform) => {
  it('[L-3.6] no event of the topic follows the answer to an unsubscribe', async () => {
    const { client, live } = await start(platform);
    client.send({ type: 'subscribe', topic: 'open/1' });
    client.send({ type: 'subscribe', topic: 'open/2' });
    await client.settle();
    await live.publish('open/1', 'a');
    client.send({ type: 'unsubscribe', id: 1, topic: 'open/1' });
    expect(await client.settle()).toEqual([
      event('open/1', 1, 'a'),
      { type: 'unsubscribed', id: 1, topic: 'open/1' },
    ]);
    await live.publish('open/1', 'b');
    await live.publish('open/2', 'c');
    expect(await client.settle()).toEqual([event('open/2', 1, 'c')]);
  });

  it('[L-3.6] an unsubscribe gets the same answer with a subscription, without one, and for an unknown topic', async () => {
    const { client } = await start(platform, { providers: [OpenTopics, PrivateTopics] });
    const topics = ['open/1', 'private/bob', 'nowhere'];
    for (const topic of topics) client.send({ type: 'unsubscribe', id: topic, topic });
    const answers = topics.map((topic) => ({ type: 'unsubscribed', id: topic, topic }));
    expect(await client.settle()).toEqual(answers);
  });
});

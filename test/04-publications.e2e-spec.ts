import { describe, expect, it } from 'vitest';
import { LiveTopic } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { OpenTopics, type Platform, platforms, startLiveApp } from './support/live-app.js';

/** `readonly/*`: everybody may subscribe, and no rule allows to publish. */
@LiveTopic('readonly/*')
class ReadOnlyTopics {
  canSubscribe(): boolean {
    return true;
  }
}

/** `inbox/*`: everybody may publish, and nobody may subscribe. */
@LiveTopic('inbox/*')
class InboxTopics {
  canSubscribe(): boolean {
    return false;
  }

  canPublish(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

const providers = [OpenTopics, ReadOnlyTopics, InboxTopics];

async function start(platform: Platform) {
  const app = await startLiveApp({ platform, providers });
  const connect = async (token: string): Promise<LiveTestClient> => {
    const client = await LiveTestClient.connect(app.url, { token });
    await client.next();
    return client;
  };
  return { ...app, connect, client: await connect('ann') };
}

const epoch = expect.any(String) as unknown as string;
const published = (topic: string, offset: number, id?: number) => ({
  type: 'published',
  ...(id !== undefined && { id }),
  topic,
  epoch,
  offset,
});
const event = (topic: string, offset: number, data: unknown) => ({ type: 'event', topic, offset, data });

describe.each(platforms)('4. Publications, on %s', (_name, platform) => {
  it('[L-4.11] [L-4.12] a removal by the application or by a client is an event without data', async () => {
    const { live, client } = await start(platform);
    await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    await live.publish('open/1', undefined, { key: 'v1', remove: true });
    client.send({ type: 'publish', id: 2, topic: 'open/1', key: 'v2', remove: true });
    const messages = await client.settle();
    const removal = (offset: number, key: string) => ({
      type: 'event',
      topic: 'open/1',
      offset,
      removed: true,
      key,
    });
    expect(messages.filter(({ type }) => type === 'event')).toStrictEqual([
      removal(1, 'v1'),
      removal(2, 'v2'),
    ]);
    expect(messages).toContainEqual(published('open/1', 2, 2));
  });

  it.each([
    ['a value other than true', { key: 'a', remove: 'yes' }, '"remove"'],
    ['no key', { remove: true }, '"key"'],
    ['data', { key: 'a', remove: true, data: 1 }, '"data"'],
  ])('[L-4.12] a removal with %s is a protocol violation', async (_what, fields, named) => {
    const { client } = await start(platform);
    const answer = await client.request({ type: 'publish', id: 1, topic: 'open/1', ...fields });
    expect(answer).toMatchObject({ type: 'error', code: 'protocol-violation', topic: 'open/1' });
    expect(String(answer['message'])).toContain(named.slice(1, -1));
  });

  it('[L-4.1] every subscriber gets the same event', async () => {
    const { live, connect, client } = await start(platform);
    const clients = [client, await connect('bob')];
    for (const each of clients) await each.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    await live.publish('open/1', { speed: 7 }, { key: 'v1' });
    const same = { type: 'event', topic: 'open/1', offset: 1, data: { speed: 7 }, key: 'v1' };
    expect(await Promise.all(clients.map((each) => each.settle()))).toEqual([[same], [same]]);
  });

  it('[L-4.1] every subscriber gets the same text, with the type first and a key only if there is one', async () => {
    const { live, connect, client } = await start(platform);
    const clients = [client, await connect('bob')];
    const texts = clients.map((each) => {
      const seen: string[] = [];
      each.socket.on('message', (data: Buffer) => seen.push(data.toString()));
      return seen;
    });
    for (const each of clients) await each.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    await live.publish('open/1', { 'speed"': [7, null], ü: '\u2028' }, { key: 'v"1' });
    await live.publish('open/1', null);
    for (const each of clients) await each.settle();
    const expected = [
      `{"type":"event","topic":"open/1","offset":1,"data":{"speed\\"":[7,null],"ü":"\u2028"},"key":"v\\"1"}`,
      '{"type":"event","topic":"open/1","offset":2,"data":null}',
    ];
    expect(texts.map((seen) => seen.slice(1, -1))).toEqual([expected, expected]);
  });

  it('[L-4.2] each topic has its own epoch and its own offsets, which rise by one from 1', async () => {
    const { live } = await start(platform);
    const positions = [];
    for (const topic of ['open/1', 'open/1', 'open/2', 'open/1'])
      positions.push(await live.publish(topic, 0));
    const [first, , second] = positions.map((position) => position.epoch);
    expect(positions).toEqual([
      { epoch: first, offset: 1 },
      { epoch: first, offset: 2 },
      { epoch: second, offset: 1 },
      { epoch: first, offset: 3 },
    ]);
    expect(first).not.toBe(second);
  });

  it('[L-4.2] concurrent publications get offsets without gaps', async () => {
    const { live, client } = await start(platform);
    await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    const all = Array.from({ length: 50 }, (_, i) => i);
    const positions = await Promise.all(all.map((i) => live.publish('open/1', i)));
    expect(positions.map(({ offset }) => offset)).toEqual(all.map((i) => i + 1));
    expect(await client.settle()).toEqual(all.map((i) => event('open/1', i + 1, i)));
  });

  it('[L-4.2] a topic whose stream was lost has a new epoch', async () => {
    const before = await (await start(platform)).live.publish('open/1', 0);
    const after = await (await start(platform)).live.publish('open/1', 0);
    expect([after.offset, after.epoch === before.epoch]).toEqual([before.offset, false]);
  });
});

describe.each(platforms)('4. Publishing, on %s', (_name, platform) => {
  it.each([null, false, 0, '', [], {}, 'ü\u2028', [{ a: [1.5, { b: null }] }]])(
    '[L-4.3] a publish of %j is answered with its position, and every subscriber gets it',
    async (data) => {
      const { connect, client } = await start(platform);
      const reader = await connect('bob');
      await reader.request({ type: 'subscribe', id: 1, topic: 'open/1' });
      client.send({ type: 'publish', id: 7, topic: 'open/1', data, key: 'v1' });
      client.send({ type: 'publish', topic: 'open/1', data });
      expect(await client.settle()).toEqual([published('open/1', 1, 7), published('open/1', 2)]);
      const events = [{ ...event('open/1', 1, data), key: 'v1' }, event('open/1', 2, data)];
      expect(await reader.settle()).toEqual(events);
    },
  );

  it('[L-4.3] a publish without data, or with a key that is no string of 1 to 128 characters, is refused', async () => {
    const { client } = await start(platform);
    await client.request({ type: 'subscribe', id: 0, topic: 'open/1' });
    const message = { type: 'publish', topic: 'open/1', data: 1 };
    client.send({ ...message, data: undefined });
    for (const key of ['', 'k'.repeat(129), 7, null, {}]) client.send({ ...message, key });
    client.send({ ...message, id: 1, key: 'k'.repeat(128) });
    const answers = await client.settle();
    expect(answers.slice(0, 6).map(({ code }) => code)).toEqual(Array<string>(6).fill('protocol-violation'));
    const byType = answers.slice(6).toSorted((one, other) => (one.type < other.type ? -1 : 1));
    expect(byType).toEqual([{ ...event('open/1', 1, 1), key: 'k'.repeat(128) }, published('open/1', 1, 1)]);
  });

  it('[L-4.4] a publish without the right gets the same answer as a publish to an unknown topic', async () => {
    const { live, client } = await start(platform);
    await client.request({ type: 'subscribe', id: 0, topic: 'readonly/1' });
    for (const topic of ['readonly/1', 'nowhere']) client.send({ type: 'publish', id: 1, topic, data: 1 });
    const words = { code: 'forbidden', message: 'You may not do this with this topic' };
    const error = { type: 'error', id: 1, ...words };
    const answers = await client.settle();
    // Answers about different topics have no order.
    expect(answers.toSorted((one, other) => String(one.topic).localeCompare(String(other.topic)))).toEqual([
      { ...error, topic: 'nowhere' },
      { ...error, topic: 'readonly/1' },
    ]);
    expect(await live.publish('readonly/1', 'by the application')).toEqual({ epoch, offset: 1 });
  });

  it('[L-4.4] a client may publish to a topic that it may not subscribe to', async () => {
    const { client } = await start(platform);
    client.send({ type: 'subscribe', id: 1, topic: 'inbox/1' });
    client.send({ type: 'publish', id: 2, topic: 'inbox/1', data: 1 });
    const [refused, accepted] = await client.settle();
    expect([refused?.['code'], accepted]).toEqual(['forbidden', published('inbox/1', 1, 2)]);
  });

  it('[L-4.5] every subscriber gets all publications in offset order, including its own', async () => {
    const { connect, client, live } = await start(platform);
    const clients = [client, await connect('bob'), await connect('cat')];
    for (const each of clients) await each.request({ type: 'subscribe', id: 0, topic: 'open/1' });
    for (let i = 1; i <= 30; i++) {
      clients[i % 3]?.send({ type: 'publish', id: i, topic: 'open/1', data: i });
      if (i % 5 === 0) await live.publish('open/1', 'app');
    }
    // Settle twice: once for each client's own publications, once for those of the others.
    const seen = [];
    for (const each of clients) await each.settle();
    for (const each of clients) {
      await each.settle();
      seen.push(each.transcript.filter(({ type }) => type === 'event'));
    }
    expect(seen[0]?.map(({ offset }) => offset)).toEqual(Array.from({ length: 36 }, (_, i) => i + 1));
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    const answers = clients.flatMap(({ transcript }) =>
      transcript.filter(({ type }) => type === 'published'),
    );
    expect(new Set(answers.map(({ offset }) => offset)).size).toBe(30);
  });
});

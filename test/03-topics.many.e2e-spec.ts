import { describe, expect, it } from 'vitest';
import { LiveObservers } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { OpenTopics, platforms, startLiveApp } from './support/live-app.js';

const names = Array.from({ length: 100 }, (_, i) => `open/${String(i)}`);

describe.each(platforms)('3. Many topics in one message, on %s', (_name, platform) => {
  async function start() {
    const { app, live, url } = await startLiveApp({ platform, providers: [OpenTopics] });
    const inbound: string[] = [];
    app.get(LiveObservers).add({ inbound: (type) => void inbound.push(type) });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    return { live, client, inbound };
  }

  it('[L-3.14] one message subscribes to 100 topics, each topic is answered, and one message leaves them all', async () => {
    const { live, client, inbound } = await start();
    client.send({ type: 'subscribe', id: 1, topics: names.map((topic) => ({ topic })) });
    const subscribed = await client.settle();
    expect(new Set(subscribed.map(({ type, id }) => `${type} ${String(id)}`))).toEqual(
      new Set(['subscribed 1']),
    );
    expect(subscribed.map(({ topic }) => topic).toSorted()).toEqual(names.toSorted());
    for (const topic of names) await live.publish(topic, topic);
    expect((await client.settle()).map(({ type, data }) => [type, data])).toEqual(
      names.map((topic) => ['event', topic]),
    );
    client.send({ type: 'unsubscribe', id: 2, topics: names });
    expect(await client.settle()).toEqual(names.map((topic) => ({ type: 'unsubscribed', id: 2, topic })));
    expect(live.stats().subscriptions).toBe(0);
    expect(inbound.filter((type) => type !== 'ping')).toEqual(['subscribe', 'unsubscribe']);
  });

  it('[L-3.14] a refused topic does not affect the other topics of its message', async () => {
    const { client } = await start();
    const topics = ['open/1', 'nowhere', 'open/2'].map((topic) => ({ topic }));
    client.send({ type: 'subscribe', id: 1, topics });
    const answers = (await client.settle()).map(({ topic, code }) => [topic, code]);
    expect(answers.toSorted()).toEqual([
      ['nowhere', 'forbidden'],
      ['open/1', undefined],
      ['open/2', undefined],
    ]);
  });
});

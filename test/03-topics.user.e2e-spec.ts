import { describe, expect, it } from 'vitest';
import { NatsBroker } from '../src/brokers/nats/index.js';
import { RedisBroker } from '../src/brokers/redis/index.js';
import type { LiveModuleOptions } from '../src/index.js';
import { LiveTestClient, type Received } from '../src/testing/index.js';
import { until } from './brokers/support/waiting.js';
import { engines } from './support/engines.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from './support/live-app.js';
import { describeWith } from './support/programs.js';

const event = (offset: number, data: unknown) => ({ type: 'event', topic: '$user', offset, data });

/** A client of this user, subscribed to `$user`, and the answer. */
async function reader(url: string, token: string, since?: unknown) {
  const client = await LiveTestClient.connect(url, { token });
  const answer = await client.request({ type: 'subscribe', id: 1, topic: '$user', since });
  return { client, answer, position: { epoch: answer['epoch'], offset: answer['offset'] } };
}

describe.each(platforms)('3. The personal topic, on %s', (_name, platform) => {
  const start = (options: LiveModuleOptions = {}) => startLiveApp({ platform, options });

  it('[L-3.15] toUser reaches every connection of the user and no other, and returns what publish returns', async () => {
    const { live, url } = await start();
    const [one, two, bob] = [await reader(url, 'ann'), await reader(url, 'ann'), await reader(url, 'bob')];
    const published = await live.toUser('ann', { text: 'hello' }, { idempotencyKey: 'once' });
    expect(published).toEqual({ epoch: one.position.epoch, offset: 1 });
    expect(await live.toUser('ann', { text: 'hello' }, { idempotencyKey: 'once' })).toEqual({
      ...published,
      suppressed: 'duplicate',
    });
    await live.toUser('bob', 'for bob');
    const heard = await Promise.all([one, two, bob].map(({ client }) => client.settle()));
    const forAnn = event(1, { text: 'hello' });
    expect(heard).toEqual([[forAnn], [forAnn], [event(1, 'for bob')]]);
  });

  it('[L-3.15] [L-3.16] the gateway refuses anonymous readers, publishers, and the names of other reserved topics', async () => {
    const { url } = await startLiveApp({ platform, guards: [], options: { dangerouslyPublic: true } });
    const anonymous = await LiveTestClient.connect(url);
    const refused = { type: 'error', id: 1, code: 'forbidden', topic: '$user' };
    expect(await anonymous.request({ type: 'subscribe', id: 1, topic: '$user' })).toMatchObject(refused);
    const { url: own } = await start();
    const { client } = await reader(own, 'ann');
    const publish = { type: 'publish', id: 1, topic: '$user', data: 1 };
    expect(await client.request(publish)).toMatchObject(refused);
    for (const topic of ['$user/ann', '$users'])
      expect(await client.request({ type: 'subscribe', id: 2, topic })).toEqual({
        type: 'error',
        id: 2,
        code: 'protocol-violation',
        message:
          'topic must be 1 to 128 of A-Za-z0-9_.~- in segments joined by /, none of them . or .., or $user',
      });
  });

  it('[L-3.16] a reconnect gets what it missed, as far as the option `personal.history` keeps it', async () => {
    const { live, url } = await start({ personal: { history: { size: 2 } } });
    const { client, position } = await reader(url, 'ann');
    await client.close();
    for (const n of [1, 2, 3]) await live.toUser('ann', n);
    const { answer } = await reader(url, 'ann', position);
    expect(answer).toMatchObject({ topic: '$user', offset: 3, recovered: false });
    const again = await reader(url, 'ann', { ...position, offset: 1 });
    expect(again.answer).toMatchObject({ topic: '$user', offset: 1, recovered: true });
    expect(await again.client.settle()).toEqual([event(2, 2), event(3, 3)]);
  });

  it('[L-3.13] [L-3.15] commands name $user, and toUser refuses what is no user id', async () => {
    const { live, url } = await start();
    const { client } = await reader(url, 'ann');
    expect(await live.count('$user')).toMatchObject({ total: 1 });
    expect(await live.unsubscribeUser('ann', '$user')).toMatchObject({ total: 1 });
    expect(await client.next()).toMatchObject({ type: 'unsubscribed', topic: '$user', code: 'forbidden' });
    await expect(live.toUser('', 1)).rejects.toMatchObject({ code: 'validation-failed' });
    await expect(live.publish('$user', 1)).rejects.toMatchObject({ code: 'validation-failed' });
  });

  it('a wrong limit of `personal.history` is a start error that names it', async () => {
    await expect(start({ personal: { history: { size: -1 } } })).rejects.toThrow(
      'LiveModule: "personal.history.size" is -1, but must be an integer >= 0.',
    );
  });
});

const brokers = {
  Redis: (url: string) => new RedisBroker({ url }),
  NATS: (url: string) => new NatsBroker({ url }),
};

for (const { name, program, start } of engines) {
  describeWith(program)(`3. The personal topic on two instances with ${name}`, () => {
    const instance = async (url: string) => {
      const broker = brokers[name as keyof typeof brokers](url);
      const app = await startLiveApp({
        options: { broker },
        guards: [BearerIsUser],
        providers: [OpenTopics],
      });
      await until('the broker is available', () => broker.available, 5_000);
      return app;
    };

    it('[L-3.15] [L-3.16] [L-5.2] toUser reaches a user through every instance, and a reconnect to another one recovers', async () => {
      const engine = await start();
      const [a, b] = [await instance(engine.url), await instance(engine.url)];
      const [here, there] = [await reader(a.url, 'ann'), await reader(b.url, 'ann')];
      const bob = await reader(b.url, 'bob');
      const odd = await reader(b.url, 'ann/../*>$ü');
      const texts = (received: readonly Received[]) => received.map(({ topic, data }) => [topic, data]);
      await a.live.toUser('ann', 1);
      await b.live.toUser('ann', 2, { key: 'k' });
      await a.live.toUser('ann/../*>$ü', 3);
      for (const { client } of [here, there]) {
        expect(await client.nextOf('event')).toEqual(event(1, 1));
        expect(await client.nextOf('event')).toEqual({ ...event(2, 2), key: 'k' });
      }
      expect(await odd.client.nextOf('event')).toEqual(event(1, 3));
      await here.client.close();
      await b.live.toUser('ann', 4);
      expect(await there.client.nextOf('event')).toEqual(event(3, 4));
      const again = await reader(b.url, 'ann', { ...here.position, offset: 2 });
      expect(again.answer).toMatchObject({ topic: '$user', offset: 2, recovered: true });
      expect(texts(await again.client.settle())).toEqual([['$user', 4]]);
      expect(await bob.client.settle()).toEqual([]);
      // Ann's position does not fit Bob's topic, whose history reaches it.
      for (const n of [1, 2, 3]) await a.live.toUser('bob', n);
      const other = await reader(a.url, 'bob', { ...here.position, offset: 2 });
      expect(other.answer).toMatchObject({ offset: 3, recovered: false });
      expect(await a.live.unsubscribeUser('ann', '$user')).toMatchObject({ total: 2 });
      expect(await there.client.nextOf('unsubscribed')).toMatchObject({ topic: '$user', code: 'forbidden' });
    }, 30_000);
  });
}

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { World } from '../../test/support/client-world.js';
import { debug, type DebugMessage } from './debug.js';
import { collection, type LiveClientOptions } from './index.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const start = (id: number, offset: number, topic = 'a') => ({
  type: 'subscribed',
  id,
  topic,
  epoch: 'e',
  offset,
  recovered: false,
});
const event = (offset: number, data: unknown) => ({ type: 'event', topic: 'a', offset, data, key: 'k' });

async function opened(options?: LiveClientOptions) {
  const client = await world.openClient(options);
  const panel = debug(client, { messages: 3 });
  onTestFinished(() => panel.stop());
  vi.spyOn(console, 'table').mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
  return { client, panel };
}

const brief = ({ type, offset, data }: DebugMessage) => [type, offset, data];

describe('nestjs-live/client/debug', () => {
  it('[L-4.1] `live.debug()` shows the connection, the topics with positions, and the last messages', async () => {
    const { client } = await opened();
    client.subscribe('a', () => {});
    client.subscribe('a', () => {}).unsubscribe();
    await world.settle();
    await world.peer.tell(start(1, 4), event(5, { n: 1 }), event(6, { n: 2 }));
    await world.peer.tell({ type: 'lost', topic: 'a', from: 7, to: 8, count: 2 });
    const { live } = globalThis as unknown as { live: { debug: () => ReturnType<typeof panelOf> } };
    const { connection, topics, messages } = live.debug();
    expect(console.table).toHaveBeenCalledTimes(3);
    expect(connection).toMatchObject({ state: 'open', connectionId: 'c', instanceId: 'i', connections: 1 });
    expect(topics).toEqual({
      a: { subscriptions: 1, position: 'e:8', events: 2, losses: 1, problem: undefined },
    });
    expect(messages.map(brief)).toEqual([
      ['event', 5, '{"n":1}'],
      ['event', 6, '{"n":2}'],
      ['lost', 8, undefined],
    ]);
  });

  it('secrets are hidden: the credential, and values that look like one', async () => {
    const jwt = 'eyJhbGciOi.eyJzdWIiOjF9.c2lnbmF0dXJl';
    const { client, panel } = await opened({ credential: 'the-credential' });
    client.subscribe('a', () => {});
    await world.settle();
    await world.peer.tell(
      start(1, 0),
      event(1, { accessToken: 'one', nested: [{ password: 'two' }], text: jwt }),
    );
    const said = JSON.stringify(panel.debug());
    expect(said).toContain('(hidden)');
    for (const secret of ['the-credential', 'one"', 'two', jwt]) expect(said).not.toContain(secret);
  });

  it('[L-3.3] a refused topic shows why, also of a collection and of an iterator', async () => {
    const { client, panel } = await opened();
    collection(client, 'a');
    const loop = client.subscribe('b')[Symbol.asyncIterator]();
    const read = loop.next();
    await world.settle();
    await world.peer.tell(
      { type: 'error', id: 1, topic: 'a', code: 'forbidden', message: 'No a' },
      { type: 'error', id: 2, topic: 'b', code: 'forbidden', message: 'No b' },
    );
    await expect(read).rejects.toThrow('No b');
    const { topics } = panel.debug();
    expect(topics).toMatchObject({
      a: { subscriptions: 0, problem: 'No a' },
      b: { subscriptions: 0, problem: 'No b' },
    });
  });

  it('[L-4.9] publications and requests are shown with their outcome', async () => {
    const { client, panel } = await opened();
    const published = client.publish('a', 7, { key: 'k' });
    const refused = client.request('book', 1);
    const silent = client.request('none').catch(() => {});
    await world.settle();
    await world.peer.tell({ type: 'published', id: 1, topic: 'a', epoch: 'e', offset: 9 });
    await world.peer.tell({ type: 'error', id: 2, code: 'forbidden', message: 'No' });
    expect(await published).toEqual({ epoch: 'e', offset: 9 });
    await expect(refused).rejects.toThrow('No');
    expect(panel.debug().messages.map(brief)).toEqual([
      ['publish', 9, '7'],
      ['book', 'forbidden', '1'],
    ]);
    client.close();
    await silent;
  });

  it('a stopped panel records nothing more', async () => {
    const { client, panel } = await opened();
    panel.stop();
    client.subscribe('a', () => {});
    expect(panel.debug().topics).toEqual({});
    expect(globalThis).not.toHaveProperty('live.debug');
  });
});

const panelOf = (panel: ReturnType<typeof debug>) => panel.debug();

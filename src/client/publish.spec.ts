import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const published = (id: number, offset: number) => ({ type: 'published', id, topic: 'a', epoch: 'e', offset });

/** Observes the outcome of a promise without awaiting it. */
function outcome(promise: Promise<unknown>): { value?: unknown; error?: unknown } {
  const seen: { value?: unknown; error?: unknown } = {};
  promise.then(
    (value) => (seen.value = value),
    (error: unknown) => (seen.error = error),
  );
  return seen;
}

describe('publish', () => {
  it('[L-4.3] publish resolves with its own position when answers arrive out of order', async () => {
    const client = await world.openClient();
    const both = Promise.all([client.publish('a', { n: 1 }), client.publish('a', null, { key: 'k' })]);
    await world.settle();
    await world.peer.tell(published(2, 8), published(1, 7));
    expect(await both).toEqual([
      { epoch: 'e', offset: 7 },
      { epoch: 'e', offset: 8 },
    ]);
    expect(world.take().slice(0, 2)).toEqual([
      '> {"type":"publish","topic":"a","data":{"n":1},"idempotencyKey":"ii-1","id":1}',
      '> {"type":"publish","topic":"a","data":null,"key":"k","idempotencyKey":"ii-2","id":2,"after":1}',
    ]);
  });

  it('[L-4.12] a removal is sent with its key and without data', async () => {
    const client = await world.openClient();
    const removed = client.publish('a', undefined, { key: 'k', remove: true });
    await world.settle();
    await world.peer.tell(published(1, 7));
    expect(await removed).toEqual({ epoch: 'e', offset: 7 });
    expect(world.take()[0]).toBe(
      '> {"type":"publish","topic":"a","key":"k","remove":true,"idempotencyKey":"ii-1","id":1}',
    );
  });

  it('[L-2.10] publish rejects with the error of the server', async () => {
    const client = await world.openClient();
    const seen = outcome(client.publish('a', 1));
    await world.peer.tell({
      type: 'error',
      id: 1,
      code: 'rate-limited',
      message: 'Too fast',
      retryAfterMs: 500,
    });
    expect(seen.error).toMatchObject({
      name: 'LiveError',
      code: 'rate-limited',
      message: 'Too fast',
      details: { retryAfterMs: 500 },
    });
    await world.advance(60_000);
    expect(world.take().filter((entry) => entry.startsWith('>'))).toHaveLength(1);
  });

  it('publications wait for a connection, keep their order, and capture their data at the call', async () => {
    const client = await world.client();
    const data = { n: 1 };
    void client.publish('a', data);
    void client.publish('a', 2);
    data.n = 99;
    await world.peer.welcome();
    expect(world.take().slice(2)).toEqual([
      '> {"type":"publish","topic":"a","data":{"n":1},"idempotencyKey":"ii-1","id":1}',
      '> {"type":"publish","topic":"a","data":2,"idempotencyKey":"ii-2","id":2,"after":1}',
    ]);
  });

  it('publish rejects as not sent if there is no connection in time', async () => {
    const client = await world.client();
    const seen = outcome(client.publish('a', 1));
    await world.advance(299_999);
    expect(seen).toEqual({});
    await world.advance(1);
    expect(seen.error).toMatchObject({ code: 'not-sent' });
    await world.advance(30_000);
    world.take();
    await world.peer.welcome();
    expect(world.take()).toEqual(['status open']);
  });

  it('[L-4.15] publish to a server without keys rejects with an unknown outcome if the connection ends first', async () => {
    const client = await world.openClient();
    const seen = outcome(client.publish('a', 1));
    await world.peer.end();
    await world.settle();
    expect(seen.error).toMatchObject({ name: 'LiveClientError', code: 'unknown-outcome' });
    await world.advance(750);
    world.take();
    await world.peer.welcome();
    await world.advance(60_000);
    expect(world.take()).toEqual(['status open']);
  });

  it('publish rejects with an unknown outcome if no answer arrives in time, and the link is checked', async () => {
    const client = await world.openClient();
    const seen = outcome(client.publish('a', 1));
    await world.advance(10_000);
    expect(seen.error).toMatchObject({ code: 'unknown-outcome' });
    expect(world.take().at(-1)).toBe('> {"type":"ping","id":2}');
  });

  it('close() rejects unsent publications as closed and sent ones with an unknown outcome', async () => {
    const open = await world.openClient();
    const sent = outcome(open.publish('a', 1));
    await world.settle();
    open.close();
    const connecting = await world.client();
    const waiting = outcome(connecting.publish('a', 1));
    await world.settle();
    connecting.close();
    const late = outcome(connecting.publish('a', 1));
    await world.settle();
    expect([sent, waiting, late].map(({ error }) => (error as { code: unknown }).code)).toEqual([
      'unknown-outcome',
      'closed',
      'closed',
    ]);
    expect(world.timerCount).toBe(0);
  });

  it('publish rejects data that JSON cannot represent and invalid topic names, and sends nothing', async () => {
    const client = await world.openClient();
    await expect(client.publish('a', 1n)).rejects.toThrow(TypeError);
    await expect(client.publish('a b', 1)).rejects.toThrow('A topic is 1 to 128 characters');
    expect(world.take()).toEqual([]);
  });

  it('[L-9.1] publish rejects a message beyond the limit of the server, which would close the connection', async () => {
    const client = await world.client();
    await world.peer.welcome({ limits: { maxMessageBytes: 90, maxTopics: 1, pingIntervalMs: 1 } });
    world.take();
    const text = (data: string): string =>
      JSON.stringify({ type: 'publish', topic: 'a', data, idempotencyKey: 'ii-1', id: 1 });
    const fits = 'x'.repeat(90 - text('').length);
    void client.publish('a', fits);
    await expect(client.publish('a', `${fits.slice(1)}ä`)).rejects.toMatchObject({ code: 'limit-exceeded' });
    expect(world.take()).toEqual([`> ${text(fits)}`]);
  });

  it('publish rejects at once if 1,000 publications are already waiting', async () => {
    const client = await world.client();
    for (let count = 0; count < 1_000; count += 1) client.publish('a', count).catch(() => {});
    await expect(client.publish('a', 1_000)).rejects.toMatchObject({
      name: 'LiveError',
      code: 'limit-exceeded',
    });
    client.close();
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';

let world: World;

beforeEach(() => {
  world = new World();
});

/** What the client sent and the application saw since the last call. */
const seen = (): string[] => world.take().filter((line) => !line.startsWith('< '));

const tooFast = (id: number, retryAfterMs: number) => ({
  type: 'error',
  id,
  code: 'rate-limited',
  message: 'Too many messages in this time',
  retryAfterMs,
});

const subscribed = (id: number, topic = 'a') => ({
  type: 'subscribed',
  id,
  topic,
  epoch: 'e',
  offset: 4,
  recovered: false,
});

describe('a client that sends too fast', () => {
  it('[L-9.11] a rate-limited subscribe is sent again after retryAfterMs, not before', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app);
    await world.peer.tell(tooFast(1, 9_000));
    seen();
    await world.advance(8_999);
    expect(seen()).toEqual([]);
    await world.advance(1_000);
    expect(seen()).toEqual(['> {"type":"subscribe","id":2,"topic":"a"}']);
  });

  it('[L-9.11] a rate-limited unsubscribe is sent again until it is answered', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app).unsubscribe();
    await world.peer.tell(tooFast(1, 0), tooFast(2, 3_000));
    seen();
    await world.advance(2_999);
    expect(seen()).toEqual([]);
    await world.advance(1_000);
    expect(seen()).toEqual(['> {"type":"unsubscribe","id":3,"topic":"a"}']);
    await world.peer.tell(tooFast(3, 100));
    await world.advance(60_000);
    expect(seen()).toEqual(['> {"type":"unsubscribe","id":4,"topic":"a"}']);
    await world.peer.tell({ type: 'unsubscribed', id: 4, topic: 'a' });
    await world.advance(60_000);
    expect(seen()).toEqual([]);
  });

  it('a rate-limited unsubscribe is not sent again if the topic was subscribed to again', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app).unsubscribe();
    await world.peer.tell(tooFast(2, 1_000));
    client.subscribe('a', world.app);
    await world.peer.tell(subscribed(3));
    seen();
    await world.advance(60_000);
    expect(seen()).toEqual([]);
  });

  it('a refused unsubscribe is not repeated after a reconnect or after a permanent refusal', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app).unsubscribe();
    await world.peer.tell(tooFast(2, 1_000));
    await world.peer.end();
    await world.advance(750);
    await world.peer.welcome();
    seen();
    await world.advance(60_000);
    expect(seen()).toEqual([]);
    client.subscribe('b', world.app).unsubscribe();
    await world.peer.tell({ type: 'error', id: 4, code: 'forbidden', message: 'No' });
    seen();
    await world.advance(60_000);
    expect(seen()).toEqual([]);
  });

  it('closing the client cancels the retry of an unsubscribe', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app).unsubscribe();
    await world.peer.tell(tooFast(2, 1_000));
    client.close();
    expect(world.timerCount).toBe(0);
  });

  it('[L-2.9] a rate-limited ping counts as a sign of life', async () => {
    await world.openClient();
    await world.visible();
    await world.peer.tell(tooFast(1, 1_000));
    await world.advance(20_000);
    expect(seen()).toEqual(['> {"type":"ping","id":1}']);
  });

  it('a rate-limited publish rejects with the time after which it may be retried', async () => {
    const client = await world.openClient();
    const publishing = client.publish('a', 1);
    await world.peer.tell(tooFast(1, 1_234));
    await expect(publishing).rejects.toMatchObject({
      code: 'rate-limited',
      details: { retryAfterMs: 1_234 },
    });
  });

  it('[L-10.3] a client reconnects after close code 4002', async () => {
    const client = await world.openClient();
    await world.peer.end(4002, 'too fast');
    expect(client.state).toBe('waiting');
  });
});

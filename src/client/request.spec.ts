import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const booked = (id: number, data: unknown) => ({ type: 'trip.book', id, data });

describe('request', () => {
  it('[L-2.13] a request resolves with the data of its answer, whichever answer comes first', async () => {
    const client = await world.openClient();
    const both = Promise.all([client.request('trip.book', { seat: 7 }), client.request('trip.book')]);
    await world.settle();
    await world.peer.tell(booked(2, null), booked(1, 'yes'));
    expect(await both).toEqual(['yes', null]);
    expect(world.take().slice(0, 2)).toEqual([
      '> {"type":"trip.book","data":{"seat":7},"id":1}',
      '> {"type":"trip.book","id":2}',
    ]);
  });

  it('[L-2.13] an answer with a type of its own is given as the whole message', async () => {
    const client = await world.openClient();
    const asked = client.request('trip.book');
    await world.settle();
    await world.peer.tell({ type: 'trip.booked', id: 1, seat: 7 }, { type: 'trip.booked', id: 1, seat: 8 });
    expect(await asked).toEqual({ type: 'trip.booked', id: 1, seat: 7 });
  });

  it('[L-2.10] an error of the server rejects its request with a LiveError', async () => {
    const client = await world.openClient();
    const asked = client.request('trip.book');
    await world.settle();
    await world.peer.tell({
      type: 'error',
      id: 1,
      code: 'not-implemented',
      message: 'Nothing handles this type',
    });
    await expect(asked).rejects.toMatchObject({ name: 'LiveError', code: 'not-implemented' });
  });

  it('a request that is not answered within timeoutMs rejects with unknown-outcome', async () => {
    const client = await world.openClient();
    let code: unknown;
    client
      .request('trip.book', undefined, { timeoutMs: 300 })
      .catch((error: { code: string }) => (code = error.code));
    await world.advance(299);
    expect(code).toBeUndefined();
    await world.advance(1);
    expect(code).toBe('unknown-outcome');
  });

  it('a request rejects when the client is closed, before and after it was sent', async () => {
    const client = await world.openClient();
    const asked = client.request('trip.book');
    asked.catch(() => {});
    await world.settle();
    client.close();
    await expect(asked).rejects.toMatchObject({ name: 'LiveClientError', code: 'unknown-outcome' });
    await expect(client.request('trip.book')).rejects.toMatchObject({ code: 'closed' });
  });

  it("request refuses the protocol's own types, and a time limit that is not positive", async () => {
    const client = await world.openClient();
    for (const type of ['subscribe', 'unsubscribe', 'publish', 'auth', 'ping'])
      await expect(client.request(type)).rejects.toThrow(TypeError);
    for (const timeoutMs of [0, -1, NaN])
      await expect(client.request('a', undefined, { timeoutMs })).rejects.toThrow(RangeError);
  });
});

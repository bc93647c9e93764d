import { beforeEach, describe, expect, it } from 'vitest';
import type { LiveClient, LiveClientOptions } from './index.js';
import { World } from '../../test/support/client-world.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const limits = { maxMessageBytes: 65_536, maxTopics: 128, pingIntervalMs: 1e12, idempotencyMs: 300_000 };
const welcome = (user: { readonly id: string } | null = { id: 'ann' }) => ({ user, limits });

async function openClient(options?: LiveClientOptions): Promise<LiveClient> {
  const client = await world.client(options);
  await world.peer.welcome(welcome());
  world.take();
  return client;
}

/** The link breaks, and the client is welcomed again. */
async function cut(...[user]: Parameters<typeof welcome>): Promise<void> {
  await world.peer.end();
  await back(user);
}

async function back(...[user]: Parameters<typeof welcome>): Promise<void> {
  const { length } = world.peers;
  while (world.peers.length === length) await world.advance(500);
  await world.peer.welcome(welcome(user));
}

interface Sent {
  readonly id: number;
  readonly data?: unknown;
  readonly topic: string;
  readonly idempotencyKey: string;
  readonly after?: number;
}

/** Publishes that were sent since the last call. */
const sent = (): Sent[] =>
  world
    .take()
    .filter((entry) => entry.startsWith('> {"type":"publish"'))
    .map((entry) => JSON.parse(entry.slice(2)) as Sent);

const published = ({ id, topic }: Sent, offset: number) => ({
  type: 'published',
  id,
  topic,
  epoch: 'e',
  offset,
});
const refused = ({ id }: Sent, code: string, retryAfterMs?: number) => ({
  type: 'error',
  id,
  code,
  message: 'Not now',
  retryAfterMs,
});

/** Settles into 'e:7' or the code of the error. */
function outcomes(...promises: Promise<unknown>[]): string[] {
  const seen = promises.map(() => 'open');
  for (const [place, promise] of promises.entries())
    promise.then(
      (position) => (seen[place] = `e:${String((position as { offset: number }).offset)}`),
      (error: { name: string; code: string }) => (seen[place] = `${error.name} ${error.code}`),
    );
  return seen;
}

describe('publications without an answer', () => {
  it('[L-4.18] unanswered publications are sent again with their keys, in order, before later ones', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1), client.publish('b', 2), client.publish('a', 3));
    const first = sent();
    await world.peer.tell(published(first[1] as Sent, 1));
    await world.peer.end();
    seen.push(...outcomes(client.publish('a', 4)));
    await back();
    const again = sent();
    expect(again.map(({ data }) => data)).toEqual([1, 3, 4]);
    expect(again.slice(0, 2).map((it) => it.idempotencyKey)).toEqual(
      [first[0], first[2]].map((it) => it?.idempotencyKey),
    );
    await world.peer.tell(...again.map((it, place) => published(it, place + 5)));
    expect(seen.slice(0, 3)).toEqual(['e:5', 'e:1', 'e:6']);
  });

  it('[L-4.16] a publication names the one before it of its topic, so that none overtakes a refused one', async () => {
    const client = await openClient();
    void outcomes(client.publish('a', 1), client.publish('b', 2), client.publish('a', 3));
    const [one, two, three] = sent() as [Sent, Sent, Sent];
    expect([one.after, two.after, three.after]).toEqual([undefined, undefined, one.id]);
  });

  it('[L-9.11] a rate-limited publication is sent again when the server wants it, before those behind it', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1), client.publish('a', 2), client.publish('b', 3));
    const [one, two, three] = sent() as [Sent, Sent, Sent];
    await world.peer.tell(
      refused(one, 'rate-limited', 2_000),
      refused(two, 'unavailable'),
      published(three, 1),
    );
    void outcomes(client.publish('b', 4));
    await world.advance(1_999);
    expect(sent()).toEqual([]);
    await world.advance(1_000);
    const again = sent();
    expect(again.map(({ data }) => data)).toEqual([1, 2, 4]);
    expect(again[1]?.after).toBe(again[0]?.id);
    await world.peer.tell(published(again[0] as Sent, 7), published(again[1] as Sent, 8));
    expect(seen).toEqual(['e:7', 'e:8', 'e:1']);
  });

  it('[L-2.10] an unavailable topic holds back only its own publications', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1), client.publish('b', 2));
    const [one] = sent() as [Sent];
    await world.peer.tell(refused(one, 'unavailable', 5_000));
    seen.push(...outcomes(client.publish('a', 3), client.publish('b', 4)));
    await world.settle();
    expect(sent().map(({ data }) => data)).toEqual([4]);
  });

  it.each(['forbidden', 'validation-failed', 'limit-exceeded', 'internal'])(
    '[L-2.10] a publication that is refused as %s is not sent again, and the next one is',
    async (code) => {
      const client = await openClient();
      const seen = outcomes(client.publish('a', 1), client.publish('a', 2));
      const [one, two] = sent() as [Sent, Sent];
      await world.peer.tell(refused(one, code), published(two, 1));
      expect(seen).toEqual([`LiveError ${code}`, 'e:1']);
      await cut();
      expect(sent()).toEqual([]);
    },
  );

  it('[L-4.18] a refusal of a repeated publication is no proof that the first one was not published', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1));
    await cut();
    await world.peer.tell(refused(sent().at(-1) as Sent, 'forbidden'));
    expect(seen).toEqual(['LiveClientError unknown-outcome']);
  });

  it('[L-4.18] many publications are sent 32 at a time', async () => {
    const client = await openClient();
    void outcomes(...Array.from({ length: 40 }, (_, n) => client.publish('a', n)));
    const first = sent();
    expect(first).toHaveLength(32);
    await world.peer.tell(...first.slice(0, 3).map((it, place) => published(it, place + 1)));
    expect(sent().map(({ data }) => data)).toEqual([32, 33, 34]);
  });

  it('[L-10.7] publications move to the successor of a draining connection, in order', async () => {
    const client = await openClient();
    const old = world.peer;
    const seen = outcomes(client.publish('a', 1), client.publish('a', 2));
    const first = sent();
    await old.tell({ type: 'draining', reconnectAfterMs: 0, windowMs: 0 });
    await world.advance(1);
    await world.peer.welcome(welcome());
    seen.push(...outcomes(client.publish('a', 3)));
    await world.settle();
    // A late answer of the old one would say the same as the new one.
    await old.tell(published(first[0] as Sent, 1));
    const again = sent();
    expect(again.map(({ data }) => data)).toEqual([1, 2, 3]);
    await world.peer.tell(...again.map((it, place) => published(it, place + 1)));
    expect(seen.slice(0, 2)).toEqual(['e:1', 'e:2']);
  });

  it('[L-4.18] publications are never sent as another user', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1));
    await world.peer.end();
    const waiting = outcomes(client.publish('a', 2));
    world.take();
    await back({ id: 'bob' });
    expect(sent()).toEqual([]);
    expect([...seen, ...waiting]).toEqual(['LiveClientError unknown-outcome', 'LiveClientError not-sent']);
    void outcomes(client.publish('a', 3));
    expect(sent().map(({ data }) => data)).toEqual([3]);
  });

  it('[L-4.18] nobody’s publications are not sent as a user either', async () => {
    const client = await world.client();
    const early = outcomes(client.publish('a', 1));
    await world.peer.welcome(welcome(null));
    await world.peer.tell(published(sent()[0] as Sent, 1));
    expect(early).toEqual(['e:1']);
    await world.peer.end();
    const seen = outcomes(client.publish('a', 2));
    await back();
    expect(sent()).toEqual([]);
    expect(seen).toEqual(['LiveClientError not-sent']);
  });

  it('[L-4.15] a publication is not sent again once the server may have forgotten its key', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1));
    await world.peer.end();
    await world.advance(270_000);
    expect(seen).toEqual(['open']);
    world.take();
    await back();
    expect(sent()).toHaveLength(1);
    await world.advance(20_000);
    expect(seen).toEqual(['LiveClientError unknown-outcome']);
    await cut();
    expect(sent()).toEqual([]);
  });

  it('[L-4.15] a machine that slept does not send again what the server has forgotten', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1));
    await world.peer.end();
    // Only the wall clock goes on while some machines sleep.
    world.skewMs += 3_600_000;
    world.take();
    await back();
    expect(sent()).toEqual([]);
    expect(seen).toEqual(['LiveClientError unknown-outcome']);
  });

  it('[L-2.9] a link that answers no publication is checked', async () => {
    const client = await openClient();
    void outcomes(client.publish('a', 1));
    await world.advance(9_999);
    expect(world.take().at(-1)).not.toContain('ping');
    await world.advance(1);
    expect(world.take().at(-1)).toContain('"type":"ping"');
  });

  it('waiting publications end as closed at close(), and sent ones with an unknown outcome', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1));
    await world.peer.end();
    const waiting = outcomes(client.publish('a', 2));
    client.close();
    await world.settle();
    expect([...seen, ...waiting]).toEqual(['LiveClientError unknown-outcome', 'LiveClientError closed']);
    expect(world.timerCount).toBe(0);
  });
});

describe('publications without a connection', () => {
  it('publications wait in order until the link is back, and a request is not sent twice', async () => {
    const client = await openClient();
    await world.peer.end();
    const seen = outcomes(client.publish('a', 1), client.publish('a', 2), client.request('x', 3));
    world.take();
    await back();
    const again = sent();
    expect(again.map(({ data }) => data)).toEqual([1, 2]);
    await world.peer.end();
    await world.settle();
    expect(seen).toEqual(['open', 'open', 'LiveClientError unknown-outcome']);
  });

  it('a publication is given up when its time is over, and never sent late', async () => {
    const client = await openClient({ queue: { ttlMs: 60_000 } });
    await world.peer.end();
    const seen = outcomes(client.publish('a', 1), client.publish('a', 2, { ttlMs: 5_000 }));
    await world.advance(5_001);
    expect(seen).toEqual(['open', 'LiveClientError not-sent']);
    await world.advance(55_000);
    expect(seen[0]).toBe('LiveClientError not-sent');
    world.take();
    await world.peer.welcome(welcome());
    await world.advance(1_000);
    expect(sent()).toEqual([]);
  });

  it('a publication that was sent is not sent again when its time is over', async () => {
    const client = await openClient();
    const seen = outcomes(client.publish('a', 1, { ttlMs: 5_000 }));
    await world.peer.end();
    await world.advance(5_000);
    expect(seen).toEqual(['LiveClientError unknown-outcome']);
    world.take();
    await world.peer.welcome(welcome());
    expect(sent()).toEqual([]);
  });

  it('a publication beyond the bounds is refused at once', async () => {
    const client = await openClient({ queue: { maxMessages: 3, maxBytes: 400 } });
    await world.peer.end();
    const seen = outcomes(
      client.publish('a', 1),
      client.publish('a', 'x'.repeat(400)),
      client.publish('a', 3),
      client.publish('a', 4),
      client.publish('a', 5),
    );
    await world.settle();
    const full = 'LiveError limit-exceeded';
    expect(seen).toEqual(['open', full, 'open', 'open', full]);
    world.take();
    await back();
    await world.peer.tell(...sent().map((it, place) => published(it, place + 1)));
    expect(seen).toEqual(['e:1', full, 'e:2', 'e:3', full]);
    void outcomes(client.publish('a', 6));
    expect(sent()).toHaveLength(1);
  });

  it('[L-4.15] the application may name a publication itself', async () => {
    const client = await openClient();
    void outcomes(client.publish('a', 1, { idempotencyKey: 'order-7' }));
    expect(sent()[0]?.idempotencyKey).toBe('order-7');
  });
});

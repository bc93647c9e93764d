import { describe, expect, it } from 'vitest';
import { EventSocket } from './event-socket.js';
import type { FetchLike } from './fetch-like.js';

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

/** A socket whose `POST`s are answered 204, or 401 with a token that has expired. */
async function opened(...expired: readonly string[]) {
  const posted: string[] = [];
  let say: (event: string) => void = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      say = (event) => controller.enqueue(new TextEncoder().encode(`${event}\n\n`));
    },
  });
  const closes: unknown[][] = [];
  const fetch = (async (_url: string, { method, headers, body: text }: Parameters<FetchLike>[1]) => {
    if (method === 'GET') return { status: 200, body };
    const token = headers['authorization']?.slice('Bearer '.length) ?? '';
    posted.push(`${String(headers['live-sequence'])} ${token} ${JSON.parse(text ?? '').type as string}`);
    return { status: expired.includes(token) ? 401 : 204, body: null };
  }) as unknown as FetchLike;
  const socket = new EventSocket('ws://live.test/live', ['live.v1', 'bearer.old'], fetch, {
    opened() {},
    message() {},
    closed: (...how) => closes.push(how),
  });
  const send = async (message: object): Promise<void> => {
    socket.send(JSON.stringify(message));
    await settled();
  };
  const hear = async (message: object): Promise<void> => {
    say(`data: ${JSON.stringify(message)}`);
    await settled();
  };
  await settled();
  return { send, hear, posted, closes };
}

describe('The client’s event stream', () => {
  it('[L-7.2] [L-12.7] a renewed token authenticates no POST before the server has confirmed it', async () => {
    const { send, hear, posted } = await opened();
    await send({ type: 'auth', token: 'new' });
    await hear({ type: 'error', code: 'unauthorized' });
    await send({ type: 'ping' });
    await send({ type: 'auth', token: 'newer' });
    await hear({ type: 'authenticated' });
    await send({ type: 'ping' });
    expect(posted).toEqual(['1 old auth', '2 old ping', '3 old auth', '4 newer ping']);
  });

  it('[L-7.4] [L-12.7] a renewal whose POST is refused for the expired token is posted with its own', async () => {
    const { send, posted, closes } = await opened('old');
    await send({ type: 'auth', token: 'new' });
    await send({ type: 'ping' });
    expect([posted, closes]).toEqual([['1 old auth', '1 new auth', '2 new ping'], []]);
  });

  it('[L-12.7] a POST that is refused for the only token ends the stream', async () => {
    const { send, posted, closes } = await opened('old');
    await send({ type: 'ping' });
    expect([posted, closes]).toEqual([['1 old ping'], [[1006, 'a POST was answered 401', undefined]]]);
  });
});

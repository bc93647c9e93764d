import { describe, expect, it } from 'vitest';
import { Posts } from './posts.js';

/** Answers each `POST` with the next of these statuses, then with 204. */
function postsWith(...statuses: readonly number[]) {
  const sent: [body: string, sequence: number][] = [];
  const failures: [number, string][] = [];
  const slept: number[] = [];
  const left = [...statuses];
  const posts = new Posts({
    post: async (body, sequence) => {
      sent.push([body, sequence]);
      await Promise.resolve();
      return left.shift() ?? 204;
    },
    failed: (...how) => failures.push(how),
    sleep: async (ms) => void slept.push(ms),
  });
  return { posts, sent, failures, slept };
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('Posts', () => {
  it('[L-12.7] messages of one task are lines of one POST, and later ones follow in the next', async () => {
    const { posts, sent } = postsWith();
    for (const text of ['a', 'b']) posts.send(text);
    await settled();
    posts.send('c');
    await settled();
    expect(sent).toEqual([
      ['a\nb', 1],
      ['c', 2],
    ]);
  });

  it('[L-12.7] a large message is posted alone', async () => {
    const { posts, sent } = postsWith();
    const large = 'x'.repeat(20_000);
    for (const text of ['a', large, 'b']) posts.send(text);
    await settled();
    expect(sent.map(([body]) => body)).toEqual(['a', large, 'b']);
  });

  it('[L-12.7] messages that are too large together are posted one by one, from the same number', async () => {
    const { posts, sent, failures } = postsWith(413);
    for (const text of ['a', 'b', 'c']) posts.send(text);
    await settled();
    expect([sent, failures]).toEqual([
      [
        ['a\nb\nc', 1],
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ],
      [],
    ]);
  });

  it('[L-12.8] a POST without an answer is repeated with its number, before those after it', async () => {
    const { posts, sent, slept } = postsWith(0, 429, 503);
    posts.send('a');
    await Promise.resolve();
    await Promise.resolve();
    posts.send('b');
    await settled();
    expect(sent).toEqual([
      ['a', 1],
      ['a', 1],
      ['a', 1],
      ['a', 1],
      ['b', 2],
    ]);
    expect(slept).toEqual([250, 500, 1_000]);
  });

  it.each([
    [404, 1006],
    [409, 1006],
    [413, 1009],
  ])('[L-12.8] the answer %i ends the connection with %i', async (status, code) => {
    const { posts, sent, failures } = postsWith(status);
    posts.send('a');
    await settled();
    posts.send('b');
    await settled();
    expect([sent.length, failures]).toEqual([1, [[code, `a POST was answered ${String(status)}`]]]);
  });

  it('[L-12.5] an answer to a ping has no body, and is sent once for pings that came together', async () => {
    const { posts, sent } = postsWith();
    posts.send('a');
    posts.pong();
    posts.pong();
    await settled();
    expect(sent).toEqual([
      ['', 1],
      ['a', 2],
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import type { ConnectionIdentity } from '../ports/identity.js';
import { LiveError } from '../../protocol/live.error.js';

const year = 365 * 86_400_000;
const start = 1_700_000_000_000;
const wrong = { type: 'error', id: 1, code: 'forbidden', message: 'This credential is not valid here' };

/** Tokens are the JSON of their identity. */
const verify = async (token: string): Promise<ConnectionIdentity> => {
  if (token === 'bad') throw new LiveError('forbidden', 'This credential is not valid here');
  if (token === 'away') throw new Error('the issuer is away');
  return JSON.parse(token) as ConnectionIdentity;
};

const tokenOf = (id: string, expiresAt?: number, topics: string[] = []): string =>
  JSON.stringify({ user: { id, topics }, ...(expiresAt !== undefined && { expiresAt }) });

describe('Auth', () => {
  it('[L-7.1] auth switches to the new credential and returns its expiry', async () => {
    const test = new TestLive({ verify });
    const { send, received, session } = test.connect({ expiresAt: start + 1_000 });
    await send({ type: 'auth', id: 1, token: tokenOf('ann', start + 5_000) });
    await send({ type: 'auth', id: 2, token: tokenOf('ann') });
    expect(received()).toEqual([
      { type: 'authenticated', id: 1, expiresAt: start + 5_000, expiresInMs: 5_000 },
      { type: 'authenticated', id: 2 },
    ]);
    expect(session.connection.expiresAt).toBeUndefined();
  });

  it('[L-7.1] auth refuses an invalid token field', async () => {
    const { send, received } = new TestLive({ verify }).connect();
    for (const token of [undefined, 7, '', 'x'.repeat(16_385)]) await send({ type: 'auth', token });
    const message = '"token" must be a string of 1 to 16384 characters';
    const error = { type: 'error', code: 'protocol-violation', message };
    expect(received()).toEqual([error, error, error, error]);
  });

  it('[L-7.2] the previous credential stays valid if the new one is invalid, another user’s, or unverifiable', async () => {
    const failures: string[] = [];
    const test = new TestLive({ verify, observer: { failed: (doing) => failures.push(doing) } });
    const { send, received, session } = test.connect({ expiresAt: start + 1_000 });
    for (const token of ['bad', tokenOf('bob', start + 9_000), '{"user":null}', 'away']) {
      await send({ type: 'auth', id: 1, token });
    }
    const message = 'The credential cannot be checked now';
    const away = { type: 'error', id: 1, code: 'unavailable', message, retryAfterMs: 1_000 };
    expect(received()).toEqual([wrong, wrong, wrong, away]);
    expect([session.connection.user?.id, session.connection.expiresAt]).toEqual(['ann', start + 1_000]);
    expect(failures).toEqual(['checking a credential']);
  });

  it('[L-7.2] a credential check that never answers times out, and a ping behind it is answered at once', async () => {
    const failures: unknown[] = [];
    const test = new TestLive({
      verify: () => new Promise(() => {}),
      observer: { failed: (_doing, error) => failures.push(error) },
    });
    const timers = test.clock.timerCount;
    const { send, received } = test.connect();
    await send({ type: 'auth', id: 1, token: 'x' });
    await send({ type: 'ping', id: 2 });
    test.clock.advance(4_999);
    await test.clock.settle();
    expect(received()).toEqual([{ type: 'pong', id: 2 }]);
    test.clock.advance(1);
    await test.clock.settle();
    const message = 'The credential cannot be checked now';
    expect(received()).toEqual([{ type: 'error', id: 1, code: 'unavailable', message, retryAfterMs: 1_000 }]);
    expect(String(failures)).toBe('Error: The credential was not checked within 5000 ms');
    expect(test.clock.timerCount).toBe(timers);
  });

  it('[L-7.3] auth checks every topic again, and ends those that are no longer allowed', async () => {
    const test = new TestLive({
      verify,
      rulesFor: (topic) => ({
        canSubscribe: async (user) => (user?.['topics'] as string[] | undefined)?.includes(topic) ?? true,
      }),
    });
    const { send, received } = test.connect();
    for (const topic of ['a', 'b']) await send({ type: 'subscribe', topic });
    received();
    await send({ type: 'auth', id: 1, token: tokenOf('ann', undefined, ['b']) });
    for (const topic of ['a', 'b']) await test.publish(topic, 1);
    expect(received()).toEqual([
      { type: 'unsubscribed', topic: 'a', code: 'forbidden', reason: 'the right to read it has ended' },
      { type: 'authenticated', id: 1 },
      { type: 'event', topic: 'b', offset: 1, data: 1 },
    ]);
    expect(test.live.stats()).toMatchObject({ topics: 1, subscriptions: 1 });
  });

  it('[L-3.9] a subscription ended by the server is reported with its reason', async () => {
    const test = new TestLive({
      verify,
      rulesFor: () => ({ canSubscribe: (user) => user?.['topics'] === undefined }),
    });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', topic: 'a' });
    received();
    await send({ type: 'auth', token: tokenOf('ann') });
    expect(received()[0]).toEqual({
      type: 'unsubscribed',
      topic: 'a',
      code: 'forbidden',
      reason: 'the right to read it has ended',
    });
  });

  it('[L-7.4] a connection is closed when its credential has expired and the grace period is over, unless renewed', async () => {
    const test = new TestLive({ verify });
    const [expiring, renewing] = [
      test.connect({ expiresAt: start + 5_000 }),
      test.connect({ expiresAt: start + 5_000 }),
    ];
    const live = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 1_000) {
        test.clock.advance(1_000);
        for (const { session } of [expiring, renewing]) session.heard();
      }
    };
    live(64_000);
    expect(expiring.socket.closedWith).toBeUndefined();
    await renewing.send({ type: 'auth', token: tokenOf('ann', start + 500_000) });
    live(2_000);
    expect(expiring.socket.closedWith).toEqual({ code: 4501, reason: 'credential expired' });
    expect(renewing.socket.closedWith).toBeUndefined();
  });

  it.each([
    ['60 days', 60 * 86_400_000],
    ['100 years', 100 * year],
  ])('[L-7.4] a credential of %s stays valid', (_name, ms) => {
    const test = new TestLive({ verify });
    const { socket, session } = test.connect({ expiresAt: start + ms });
    for (let i = 0; i < 100; i++) {
      test.clock.advance(1_000);
      session.heard();
    }
    expect(socket.closedWith).toBeUndefined();
  });

  it('[L-7.5] auth is not implemented without a verifier', async () => {
    const { send, received } = new TestLive().connect();
    await send({ type: 'auth', id: 1, token: 'x' });
    expect(received()).toEqual([
      { type: 'error', id: 1, code: 'not-implemented', message: 'Nothing handles this type' },
    ]);
  });
});

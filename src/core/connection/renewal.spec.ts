import { describe, expect, it, vi } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { CredentialWatch } from './credential-watch.js';
import type { LiveConnection } from '../ports/connection.js';
import type { Connection } from './connection.js';
import type { ConnectionIdentity } from '../ports/identity.js';
import { renewalOf } from './renewal.js';

/** A connection whose session ends in a minute, and a backend controlled by the test. */
function start(
  answer: (asked: LiveConnection) => ConnectionIdentity | undefined | Promise<ConnectionIdentity>,
  silentConnections = 0,
) {
  const clock = new TestClock();
  const sent: unknown[] = [];
  const failed = vi.fn();
  const renew = vi.fn((asked: LiveConnection) => Promise.resolve(asked).then(answer));
  const review = vi.fn();
  const connection = {
    user: { id: 'ann' },
    expiresAt: clock.wallMs() + 60_000,
    open: true,
    renew: ({ expiresAt }: ConnectionIdentity) => Object.assign(connection, { expiresAt }),
    send: (message: unknown) => sent.push(message),
    close: vi.fn((code: number) => Object.assign(connection, { open: false, code })),
  };
  const others = Array.from({ length: silentConnections }, () => ({
    ...connection,
    expiresAt: clock.wallMs() + 40_000,
    close: vi.fn(),
  }));
  const observer = { failed } as never;
  const renewal = renewalOf({ renew, clock, observer }, { review }, 5_000);
  const all = [...others, connection] as unknown as Connection[];
  new CredentialWatch(10_000, clock, all, renewal).start();
  const pass = async (ms: number): Promise<void> => {
    for (let i = 0; i < ms; i += 1_000) {
      clock.advance(1_000);
      await new Promise(setImmediate);
    }
  };
  return { clock, connection, sent, failed, renew, review, pass };
}

describe('Renewal', () => {
  it('[L-7.6] a session is checked again 30 s before its end, and an extended one keeps its connection', async () => {
    const test = start(() => ({ user: { id: 'ann' }, expiresAt: test.clock.wallMs() + 600_000 }));
    await test.pass(29_000);
    expect(test.renew).not.toHaveBeenCalled();
    await test.pass(2_000);
    expect(test.renew).toHaveBeenCalledTimes(1);
    expect(test.sent).toEqual([
      { type: 'authenticated', expiresAt: test.connection.expiresAt, expiresInMs: 600_000 },
    ]);
    expect(test.review).toHaveBeenCalledWith(test.connection, 'keep');
    await test.pass(60_000);
    expect([test.renew.mock.calls.length, test.connection.open]).toEqual([1, true]);
  });

  it.each<[string, () => ConnectionIdentity | undefined]>([
    ['is over', () => undefined],
    ["is another user's", () => ({ user: { id: 'bob' } })],
    ['ends as before', () => ({ user: { id: 'ann' }, expiresAt: 1 })],
    [
      'cannot be asked for',
      () => {
        throw new Error('away');
      },
    ],
  ])(
    '[L-7.6] [L-7.4] a session that %s is checked every few seconds until its grace period ends',
    async (_how, answer) => {
      const test = start(answer);
      await test.pass(69_000);
      expect(test.connection.open).toBe(true);
      await test.pass(2_000);
      expect(test.connection).toMatchObject({ open: false, code: 4501 });
      expect(test.sent).toEqual([]);
      expect(test.renew.mock.calls.length).toBeGreaterThan(6);
      expect(test.renew.mock.calls.length).toBeLessThan(25);
      if (_how === 'cannot be asked for') expect(test.failed).toHaveBeenCalled();
    },
  );

  it('[L-7.6] a session that is extended after its end, within the grace period, keeps its connection', async () => {
    const test = start(() => (test.clock.wallMs() < end + 3_000 ? undefined : { user: { id: 'ann' } }));
    const end = test.connection.expiresAt;
    await test.pass(90_000);
    expect([test.connection.open, test.sent]).toEqual([true, [{ type: 'authenticated' }]]);
  });

  it('[L-7.6] guards that never answer for some connections do not block the renewal of others', async () => {
    const test = start(
      (asked) =>
        asked === (test.connection as unknown)
          ? { user: { id: 'ann' }, expiresAt: test.clock.wallMs() + 600_000 }
          : new Promise(() => {}),
      20,
    );
    await test.pass(71_000);
    expect([test.connection.open, test.sent.length]).toEqual([true, 1]);
    // Each unanswered check occupies one place at a time and logs one line.
    expect(test.failed.mock.calls.length).toBeGreaterThan(20);
  });

  it('[L-7.6] an answer after the timeout renews nothing', async () => {
    let late = (_identity: ConnectionIdentity): void => {};
    const test = start(() => new Promise<ConnectionIdentity>((resolve) => (late = resolve)));
    await test.pass(31_000);
    const first = late;
    await test.pass(6_000);
    first({ user: { id: 'ann' } });
    await test.pass(1_000);
    expect(test.sent).toEqual([]);
    expect(test.failed).toHaveBeenCalledTimes(1);
  });
});

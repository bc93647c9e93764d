import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';
import { type CredentialFunction, LiveError } from './index.js';

let world: World;
beforeEach(() => {
  world = new World();
});

/** Numbers its tokens and logs the reason of each request. */
function counting(): CredentialFunction {
  let count = 0;
  return ({ reason }) => {
    count += 1;
    world.log.push(`asked: ${reason}`);
    return Promise.resolve(`t${String(count)}`);
  };
}

describe('credential', () => {
  it('[L-1.2] the credential is sent in the subprotocol list beside live.v1', async () => {
    await world.client({ credential: 'a.b-c_d' });
    await world.client();
    expect(world.take()).toEqual(['dial live.v1, bearer.a.b-c_d', 'dial live.v1']);
    expect(world.peer.url).toBe('ws://live.test/live');
    expect(new URL(world.peer.url).search).toBe('');
  });

  it.each(['', 'a b', 'a/b', 'a=', 'a,b', 'ä', 'a\n'])(
    'the credential %j, which the list cannot carry, is refused at once and not repeated in the error',
    async (token) => {
      const error = await world.client({ credential: token }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'LiveError', code: 'validation-failed' });
      if (token !== '') expect(String(error)).not.toContain(`"${token}"`);
      expect(world.peers).toEqual([]);
    },
  );

  it('a credential function is called once, and its token is reused after a reconnect', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome();
    await world.peer.end();
    await world.advance(750);
    expect(world.take().filter((entry) => !entry.startsWith('status'))).toEqual([
      'asked: connect',
      'dial live.v1, bearer.t1',
      'dial live.v1, bearer.t1',
    ]);
  });

  it('[L-1.6] a credential is requested again after a failed handshake, because browsers hide a 401', async () => {
    await world.client({ credential: counting() });
    await world.peer.end();
    await world.advance(750);
    expect(world.take().filter((entry) => !entry.startsWith('status'))).toEqual([
      'asked: connect',
      'dial live.v1, bearer.t1',
      'asked: rejected',
      'dial live.v1, bearer.t2',
    ]);
  });

  it('[L-10.3] after 4501 a client requests another credential and reconnects', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome();
    world.take();
    await world.peer.end(4501, 'expired');
    await world.advance(750);
    expect(world.take()).toEqual([
      'status waiting 750 after 4501 expired',
      'status connecting',
      'asked: expired',
      'dial live.v1, bearer.t2',
    ]);
  });

  it('a credential that expired while disconnected is requested again', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs + 700 });
    world.take();
    await world.peer.end(1006);
    await world.advance(750);
    expect(world.take().slice(2)).toEqual(['asked: expired', 'dial live.v1, bearer.t2']);
  });

  it('a credential that cannot be obtained is reported and requested again with back-off', async () => {
    let tries = 0;
    await world.client({
      credential: () => {
        tries += 1;
        if (tries === 1) throw new TypeError('Failed to fetch');
        return undefined;
      },
    });
    await world.advance(750);
    expect(world.take()).toEqual([
      'error TypeError: Failed to fetch',
      'status waiting 750 after 1006 no credential',
      'status connecting',
      'dial live.v1',
    ]);
  });

  it('a credential function that rejects with a permanent LiveError closes the client', async () => {
    const client = await world.client({
      credential: () => Promise.reject(new LiveError('forbidden', 'Signed out')),
    });
    await world.advance(60_000);
    expect(client.status).toMatchObject({ state: 'closed', error: { name: 'LiveError' } });
    expect(world.peers).toEqual([]);
  });

  it('a credential that arrives after `close` is not used', async () => {
    let give = (_token: string): void => {};
    const client = await world.client({
      credential: () => new Promise<string>((resolve) => (give = resolve)),
    });
    client.close();
    give('late');
    await world.settle();
    expect(world.peers).toEqual([]);
  });
});

describe('refresh of the credential', () => {
  const hour = 3_600_000;

  it('a credential is refreshed on the open connection at 80 to 90 % of its remaining time, repeatedly', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs + hour });
    world.take();
    await world.advance(0.85 * hour - 1);
    expect(world.take()).toEqual([]);
    await world.advance(1);
    expect(world.take()).toEqual(['asked: refresh', '> {"type":"auth","token":"t2","id":1}']);
    await world.peer.tell({ type: 'authenticated', id: 1, expiresAt: world.nowMs + hour });
    world.chance = 0;
    await world.advance(0.85 * hour);
    expect(world.take().slice(1)).toEqual(['asked: refresh', '> {"type":"auth","token":"t3","id":2}']);
  });

  it('a reconnect uses the refreshed credential', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs + 1_000 });
    await world.advance(900);
    await world.peer.tell({ type: 'authenticated', id: 1, expiresAt: world.nowMs + hour });
    await world.peer.end();
    world.take();
    await world.advance(750);
    expect(world.take().at(-1)).toBe('dial live.v1, bearer.t2');
  });

  it('a credential that is a fixed string or never expires is not refreshed', async () => {
    await world.client({ credential: 'fixed' });
    await world.peer.welcome({ expiresAt: world.nowMs + hour });
    await world.client({ credential: counting() });
    await world.peer.welcome();
    world.take();
    await world.advance(48 * hour);
    expect(world.take()).toEqual([]);
  });

  it('a credential that looks expired to the local clock, though just accepted, is not refreshed', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs - hour });
    world.take();
    await world.advance(hour);
    expect(world.take()).toEqual([]);
  });

  it('a credential is refreshed at most once a second, whatever expiry the answers name', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs + 10 });
    await world.advance(10);
    world.take();
    await world.peer.tell({ type: 'authenticated', id: 1, expiresAt: world.nowMs + 10 });
    await world.advance(999);
    expect(world.take().slice(1)).toEqual([]);
    await world.advance(1);
    expect(world.take()).toEqual(['asked: refresh', '> {"type":"auth","token":"t3","id":2}']);
  });

  it('a refresh that is due in a hundred days happens, beyond the timer limit of 24.8 days', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs + 2_400 * hour });
    world.take();
    await world.advance(0.85 * 2_400 * hour - 1);
    expect(world.take()).toEqual([]);
    await world.advance(1);
    expect(world.take()).toEqual(['asked: refresh', '> {"type":"auth","token":"t2","id":1}']);
  });

  it('a refresh that fails temporarily is retried with back-off, and a refused one is reported', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs + hour });
    await world.advance(0.85 * hour);
    world.take();
    await world.peer.tell({
      type: 'error',
      id: 1,
      code: 'unavailable',
      message: 'Later',
      retryAfterMs: 1_000,
    });
    await world.advance(1_750);
    expect(world.take().slice(1)).toEqual([
      'error LiveError: Later',
      'asked: refresh',
      '> {"type":"auth","token":"t3","id":2}',
    ]);
    await world.peer.tell({ type: 'error', id: 2, code: 'forbidden', message: 'No' });
    await world.advance(hour);
    expect(world.take().slice(1)).toEqual(['error LiveError: No']);
  });

  it('a refresh without a credential or without an answer is retried', async () => {
    let tries = 0;
    await world.client({
      credential: () => {
        tries += 1;
        if (tries === 2) throw new Error('offline');
        return `t${String(tries)}`;
      },
    });
    await world.peer.welcome({ expiresAt: world.nowMs + hour });
    await world.advance(0.85 * hour);
    world.take();
    await world.advance(750);
    await world.advance(10_000 + 1_000);
    expect(world.take()).toEqual([
      '> {"type":"auth","token":"t3","id":1}',
      '> {"type":"ping","id":2}',
      'error LiveClientError: It was sent and may have had its effect: No answer came in time',
      '> {"type":"auth","token":"t4","id":3}',
    ]);
  });

  it('a refresh that a full queue refuses is retried', async () => {
    await world.client({ credential: () => 't', queue: { maxMessages: 0 } });
    await world.peer.welcome({ expiresAt: world.nowMs + hour });
    await world.advance(0.85 * hour);
    expect(world.take()).toContain('error LiveError: 0 messages wait already');
    await world.advance(750);
    expect(world.take()).toEqual(['error LiveError: 0 messages wait already']);
  });

  it('a refreshed credential that arrives after a disconnect is kept for the next handshake', async () => {
    let give = (_token: string): void => {};
    await world.client({
      credential: ({ reason }) =>
        reason === 'connect' ? 't1' : new Promise<string>((resolve) => (give = resolve)),
    });
    await world.peer.welcome({ expiresAt: world.nowMs + 10_000 });
    await world.advance(9_000);
    await world.peer.end();
    await world.advance(750);
    await world.peer.welcome();
    world.take();
    give('t2');
    await world.settle();
    expect(world.take()).toEqual([]);
    await world.peer.end();
    // The first credential has expired by now; the second has not, as far as the client knows.
    await world.advance(1_000);
    expect(world.take().at(-1)).toBe('dial live.v1, bearer.t2');
  });

  it('a refresh that fails after a disconnect is not reported', async () => {
    let fail = (_error: Error): void => {};
    await world.client({
      credential: ({ reason }) =>
        reason === 'connect' ? 't1' : new Promise<string>((_resolve, reject) => (fail = reject)),
    });
    await world.peer.welcome({ expiresAt: world.nowMs + 10_000 });
    await world.advance(9_000);
    await world.peer.end();
    world.take();
    fail(new Error('late'));
    await world.settle();
    expect(world.take()).toEqual([]);
  });

  it('a refreshed credential without an answer before a disconnect replaces an expired one', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs + 10_000 });
    await world.advance(8_500);
    await world.peer.end();
    await world.sleep(3_600_000);
    expect(world.take().at(-1)).toBe('dial live.v1, bearer.t2');
  });

  it('a planned refresh is canceled by a disconnect', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresAt: world.nowMs + hour });
    await world.peer.end();
    await world.advance(750);
    await world.peer.welcome();
    world.take();
    await world.advance(hour);
    expect(world.take()).toEqual([]);
  });
});

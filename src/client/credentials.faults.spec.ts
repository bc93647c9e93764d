import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';
import { type CredentialFunction, LiveError } from './index.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const hour = 3_600_000;

function counting(): CredentialFunction {
  let count = 0;
  return ({ reason }) => {
    count += 1;
    world.log.push(`asked: ${reason}`);
    return `t${String(count)}`;
  };
}

const asked = (): string[] => world.take().filter((entry) => entry.startsWith('asked'));

describe('failing credential function', () => {
  it('a credential function that never settles is abandoned after 30 s, reported, and called again', async () => {
    let call = 0;
    await world.client({
      credential: () => ((call += 1) === 1 ? new Promise<string>(() => {}) : 'second'),
    });
    await world.advance(30_000);
    await world.advance(750);
    expect(world.take()).toEqual([
      'error Error: The credential function did not return within 30 s',
      'status waiting 750 after 1006 no credential',
      'status connecting',
      'dial live.v1, bearer.second',
    ]);
  });

  it('a credential that arrives after its timeout is used for the next try', async () => {
    let give = (_token: string): void => {};
    await world.client({ credential: () => new Promise<string>((resolve) => (give = resolve)) });
    await world.advance(30_000);
    give('late');
    await world.advance(750);
    expect(world.take().at(-1)).toBe('dial live.v1, bearer.late');
  });

  it('a refresh that never settles is abandoned and requested again', async () => {
    let calls = 0;
    await world.client({
      credential: ({ reason }) => {
        if (reason === 'connect') return 't1';
        return (calls += 1) === 1 ? new Promise<string>(() => {}) : 't2';
      },
    });
    await world.peer.welcome({ expiresInMs: hour });
    await world.advance(0.85 * hour + 30_000);
    expect(world.take().at(-1)).toBe('error Error: The credential function did not return within 30 s');
    await world.advance(750);
    expect(world.take()).toEqual(['> {"type":"auth","token":"t2","id":1}']);
  });

  it.each(['<html>502 Bad Gateway</html>', '', 7, null, { token: 't' }])(
    'a credential function that returns %j is reported and retried with back-off',
    async (given) => {
      const given2 = [given as string, 'good'];
      const client = await world.client({ credential: () => given2.shift() });
      expect(client.state).toBe('waiting');
      const [error] = world.take();
      expect(error).toMatch(/^error TypeError: The credential function did not return a token\./);
      await world.advance(750);
      expect(world.take().at(-1)).toBe('dial live.v1, bearer.good');
    },
  );

  it('a credential function that throws a permanent LiveError closes the client', async () => {
    const client = await world.client({
      credential: () => {
        throw new LiveError('forbidden', 'Signed out');
      },
    });
    expect(client.status).toMatchObject({ state: 'closed', reason: 'Signed out' });
  });
});

describe('close code 4501', () => {
  it.each([undefined, 'fixed'])(
    '[L-10.3] without a credential function a client reconnects after 4501 (credential: %j)',
    async (credential) => {
      const client = await world.openClient({ credential });
      await world.peer.end(4501, 'credential expired');
      await world.advance(750);
      expect(world.take().at(-1)).toBe(`dial live.v1${credential === undefined ? '' : ', bearer.fixed'}`);
      await world.peer.end();
      await world.advance(1_000);
      await world.peer.welcome();
      expect(client.state).toBe('open');
    },
  );
});

describe('token requests', () => {
  it('[L-1.6] during an outage of 30 s a page requests one token and reuses it while it is valid', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresInMs: hour });
    await world.advance(10_000);
    asked();
    const end = world.nowMs + 30_000;
    while (world.nowMs < end) {
      await world.peer.end();
      const dials = world.peers.length;
      while (world.peers.length === dials) await world.advance(100);
    }
    expect(asked()).toEqual(['asked: rejected']);
  });

  it('[L-1.6] a token that the first handshake refuses is replaced before the second', async () => {
    await world.client({ credential: counting() });
    await world.peer.end();
    await world.advance(750);
    expect(asked()).toEqual(['asked: connect', 'asked: rejected']);
  });

  it('[L-1.6] a token that is refused repeatedly is replaced every half minute', async () => {
    await world.client({ credential: counting(), backoff: { minMs: 1_000, maxMs: 1_000 } });
    for (let second = 0; second < 90; second += 1.5) {
      await world.peer.end();
      await world.advance(1_500);
    }
    expect(asked().slice(1)).toEqual(Array(3).fill('asked: rejected'));
  });

  it('an expired token is replaced at the next try', async () => {
    await world.client({ credential: counting() });
    await world.peer.welcome({ expiresInMs: 1_000 });
    await world.peer.end();
    await world.advance(2_000);
    expect(asked()).toEqual(['asked: connect']);
    await world.peer.end();
    await world.advance(2_000);
    expect(asked()).toEqual(['asked: rejected']);
  });
});

describe('wrong clock', () => {
  it.each([-2 * hour, 2 * hour])(
    '[L-1.11] [L-7.1] a client whose clock is %i ms off refreshes on time, by the lifetime the server sends',
    async (skewMs) => {
      world.skewMs = skewMs;
      await world.client({ credential: counting() });
      await world.peer.welcome({ expiresAt: world.nowMs + hour, expiresInMs: hour });
      world.take();
      await world.advance(0.85 * hour - 1);
      expect(world.take()).toEqual([]);
      await world.advance(1);
      expect(world.take()).toEqual(['asked: refresh', '> {"type":"auth","token":"t2","id":1}']);
      const answer = { type: 'authenticated', id: 1, expiresAt: world.nowMs + hour, expiresInMs: hour };
      await world.peer.tell(answer);
      world.take();
      await world.advance(0.85 * hour);
      expect(asked()).toEqual(['asked: refresh']);
    },
  );

  it('a jump of the clock does not change a wait', async () => {
    await world.client();
    await world.peer.end();
    world.skewMs = -10 * hour;
    await world.advance(750);
    expect(world.peers).toHaveLength(2);
  });
});

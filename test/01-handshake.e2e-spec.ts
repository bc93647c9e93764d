import { type CanActivate, type ExecutionContext, HttpException, Injectable } from '@nestjs/common';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { describe, expect, it } from 'vitest';
import { credentialOf, setConnectionIdentity } from '../src/index.js';
import { HandshakeRefused, LiveTestClient, type LiveTestClientOptions } from '../src/testing/index.js';
import { describeOnSockets, itOnSockets, onStreams } from './support/door.js';
import { deferred } from './support/deferred.js';
import { type LiveAppOptions, platforms, startLiveApp } from './support/live-app.js';
import { handshake, type WireHandshake, WirePeer, texts } from './support/wire-peer.js';

/** Accepts any credential from any of its three places, and names the user after it. */
@Injectable()
class CredentialIsUser implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Parameters<typeof credentialOf>[0] & object>();
    const credential = credentialOf(request);
    if (credential === undefined) return false;
    setConnectionIdentity(request, { user: { id: credential.token }, expiresAt: 4_102_444_800_000 });
    return true;
  }
}

/** A guard that runs `decide`. */
function guardThat(decide: () => unknown): new () => CanActivate {
  @Injectable()
  class TestGuard implements CanActivate {
    canActivate(): boolean {
      return decide() as boolean;
    }
  }
  return TestGuard;
}

const refusalOf = (url: string, options: LiveTestClientOptions = {}): Promise<HandshakeRefused> =>
  LiveTestClient.connect(url, options).then(
    () => Promise.reject(new Error('It was let in')),
    (error: unknown) => {
      if (error instanceof HandshakeRefused) return error;
      throw error;
    },
  );

const bodyOf = (statusCode: number, error: string, message: string) => ({ statusCode, error, message });
const tokenInProtocols = { protocols: ['live.v1', 'bearer.cat'] };
/** A stream has no subprotocols. Its client sends that token in the header. */
const alsoInProtocols = onStreams ? {} : tokenInProtocols;

describe.each(platforms)('1. Handshake, on %s', (_name, platform) => {
  it("[L-1.1] an upgrade to /live opens a connection, on the server's own port and on the application's port", async () => {
    for (const port of [0, 'app'] as const) {
      const { url } = await startLiveApp({ platform, options: { port } });
      expect(new URL(url).pathname).toBe('/live');
      const client = await LiveTestClient.connect(url, { token: 'ann' });
      expect(await client.next()).toMatchObject({ type: 'welcome', user: { id: 'ann' } });
    }
  });

  // The second door answers with its own paths, status and headers [L-12.2].
  itOnSockets("[L-1.1] the server's own port answers 404 to a plain HTTP request", async () => {
    const { url } = await startLiveApp({ platform });
    const answer = bodyOf(404, 'Not Found', 'Only WebSocket upgrades are served here');
    for (const path of ['/live', '/', '/metrics']) {
      const response = await fetch(new URL(path, url.replace('ws:', 'http:')));
      expect([response.status, await response.json()]).toEqual([404, answer]);
    }
  });

  it.each([
    [
      'the Authorization header before all others',
      { token: 'ann', headers: { cookie: 'live_token=bob' }, ...alsoInProtocols },
      'ann',
    ],
    [
      'the cookie before the subprotocols',
      { headers: { cookie: 'a=1; live_token=bob' }, ...alsoInProtocols },
      'bob',
    ],
    ['the subprotocols', tokenInProtocols, 'cat'],
  ])('[L-1.2] the server takes the credential from %s', async (_place, options, id) => {
    const { url } = await startLiveApp({ platform, guards: [CredentialIsUser] });
    const client = await LiveTestClient.connect(url, options);
    expect(await client.next()).toMatchObject({ type: 'welcome', user: { id } });
  });

  itOnSockets.each([
    ['live.v1, bearer.cat', 'live.v1'],
    ['bearer.cat, chat, live.v1', 'live.v1'],
    ['bearer.cat, live.v2', undefined],
    ['', undefined],
    [null, undefined],
  ])('[L-1.3] the server answers the offered subprotocols %j with %j', async (offered, selected) => {
    const { url } = await startLiveApp({ platform });
    const peer = await WirePeer.connect(url);
    peer.send(handshake({ headers: { 'Sec-WebSocket-Protocol': offered } }));
    const { status, headers } = await peer.response();
    expect([status, headers['sec-websocket-protocol']]).toEqual([101, selected]);
    expect(JSON.stringify(headers)).not.toContain('cat');
  });

  itOnSockets(
    '[L-1.4] a refused handshake gets a small JSON body over HTTP, and the socket is closed',
    async () => {
      const { url } = await startLiveApp({ platform });
      const { status, headers, body } = await WirePeer.ask(
        url,
        handshake({ headers: { Authorization: null } }),
      );
      expect({ status, headers, body: JSON.parse(body) as unknown }).toEqual({
        status: 401,
        headers: {
          connection: 'close',
          'content-length': String(body.length),
          'content-type': 'application/json; charset=utf-8',
          'www-authenticate': 'Bearer',
        },
        body: bodyOf(401, 'Unauthorized', 'Unauthorized'),
      });
    },
  );

  it('[L-1.6] a handshake without a valid credential gets 401 with WWW-Authenticate', async () => {
    const { url } = await startLiveApp({ platform });
    const { statusCode, headers } = await refusalOf(url);
    expect([statusCode, headers['www-authenticate']]).toEqual([401, 'Bearer']);
  });

  it('[L-1.6] a handshake that a guard rejects gets 403', async () => {
    const { url } = await startLiveApp({ platform, guards: [guardThat(() => false)] });
    const { statusCode, body } = await refusalOf(url, { token: 'ann' });
    expect([statusCode, body]).toEqual([403, bodyOf(403, 'Forbidden', 'Forbidden resource')]);
  });

  itOnSockets('[L-1.8] a handshake for another path gets 404', async () => {
    const { url } = await startLiveApp({ platform });
    for (const target of ['/', '/live/7', '/LIVE', '/live/../live']) {
      const { status, body } = await WirePeer.ask(url, handshake({ target }));
      const answer = bodyOf(404, 'Not Found', 'No WebSocket endpoint at this path');
      expect([target, status, JSON.parse(body)]).toEqual([target, 404, answer]);
    }
  });

  itOnSockets.each(['8', '14', null])(
    '[L-1.8] a handshake with version %j gets 426, which names version 13',
    async (version) => {
      const { url } = await startLiveApp({ platform });
      const request = handshake({ headers: { 'Sec-WebSocket-Version': version } });
      const { status, headers, body } = await WirePeer.ask(url, request);
      const answer = bodyOf(426, 'Upgrade Required', 'WebSocket version 13 is required');
      expect([status, headers['sec-websocket-version'], JSON.parse(body)]).toEqual([426, '13', answer]);
    },
  );

  it('[L-1.9] a client that connects too often gets 429 with Retry-After', async () => {
    const { url } = await startLiveApp({
      platform,
      guards: [ThrottlerGuard],
      imports: [ThrottlerModule.forRoot([{ limit: 2, ttl: 30_000 }])],
    });
    await LiveTestClient.connect(url);
    await LiveTestClient.connect(url);
    const { statusCode, headers } = await refusalOf(url);
    expect([statusCode, Number(headers['retry-after'])]).toEqual([429, expect.closeTo(30, -1)]);
  });

  it('[L-1.9] a 429 from a guard that sets no Retry-After gets the default one', async () => {
    const guards = [
      guardThat(() => {
        throw new HttpException('Too many connections', 429);
      }),
    ];
    const { url } = await startLiveApp({ platform, guards });
    const { statusCode, headers, body } = await refusalOf(url);
    const answer = bodyOf(429, 'Too Many Requests', 'Too many connections');
    expect([statusCode, headers['retry-after'], body]).toEqual([429, '1', answer]);
  });

  it('[L-1.10] a handshake gets 503 with Retry-After while too many handshakes are pending', async () => {
    const decision = deferred<boolean>();
    const asked = deferred();
    const guards = [
      guardThat(() => {
        asked.resolve();
        return decision.promise;
      }),
    ];
    const { url } = await startLiveApp({ platform, guards, options: { maxPendingUpgrades: 1 } });
    const first = LiveTestClient.connect(url);
    await asked.promise;
    const { statusCode, headers, body } = await refusalOf(url);
    const answer = bodyOf(503, 'Service Unavailable', 'Too many handshakes are pending');
    expect([statusCode, headers['retry-after'], body]).toEqual([503, '1', answer]);
    decision.resolve(true);
    expect(await (await first).next()).toMatchObject({ type: 'welcome' });
    await LiveTestClient.connect(url);
  });

  it.each<[string, () => unknown, number, string]>([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      503,
      'The handshake could not be decided',
    ],
    ['rejects', () => Promise.reject(new Error('secret')), 503, 'The handshake could not be decided'],
    ['hangs', () => new Promise(() => {}), 503, 'The handshake was not decided in time'],
    ['returns nothing', () => undefined, 403, 'Forbidden resource'],
  ])('[L-1.10] a handshake is refused when its guard %s', async (_does, decide, status, message) => {
    const options = { upgradeTimeoutMs: 100 };
    const { url, live } = await startLiveApp({ platform, guards: [guardThat(decide)], options });
    const { statusCode, headers, body } = await refusalOf(url);
    const error = status === 503 ? 'Service Unavailable' : 'Forbidden';
    const retryAfter = status === 503 ? '1' : undefined;
    expect([statusCode, headers['retry-after'], body]).toEqual([
      status,
      retryAfter,
      bodyOf(status, error, message),
    ]);
    expect(live.stats().connections).toBe(0);
  });

  it('[L-1.11] the welcome is the first message, with the user, the instance, the expiry and the limits', async () => {
    const options = { instanceId: 'node-1' };
    const { url } = await startLiveApp({ platform, guards: [CredentialIsUser], options });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.settle();
    expect(client.transcript).toEqual([
      {
        type: 'welcome',
        connectionId: expect.stringMatching(/^[\da-f-]{36}$/) as unknown,
        instanceId: 'node-1',
        user: { id: 'ann' },
        expiresAt: 4_102_444_800_000,
        expiresInMs: expect.any(Number) as number,
        reconnectSpreadMs: 1_000,
        limits: expect.objectContaining({ maxMessageBytes: 65_536, maxTopics: 128 }) as object,
      },
      { type: 'pong', id: 'settle-1' },
    ]);
  });

  it('[L-1.11] the welcome of an anonymous connection has a null user and no expiry', async () => {
    const { url } = await startLiveApp({ platform, guards: [], options: { dangerouslyPublic: true } });
    const welcome = await (await LiveTestClient.connect(url)).next();
    const fields = ['type', 'connectionId', 'instanceId', 'user', 'reconnectSpreadMs', 'limits'];
    expect(Object.keys(welcome)).toEqual(fields);
    expect(welcome['user']).toBeNull();
  });
});

const fault = (message: string) => bodyOf(400, 'Bad Request', message);

describeOnSockets.each(platforms)('1. Malformed handshakes, on %s', (_name, platform) => {
  it.each<[string, WireHandshake, string]>([
    ['another method', { method: 'POST' }, 'A handshake must be a GET request'],
    ['HTTP/1.0', { version: '1.0' }, 'A handshake must use HTTP/1.1, also between a proxy and this server'],
    ['a body', { headers: { 'Content-Length': '5' }, body: 'hello' }, 'A handshake must not have a body'],
    [
      'a body in chunks',
      { headers: { 'Transfer-Encoding': 'chunked' }, body: '0\r\n\r\n' },
      'A handshake must not have a body',
    ],
    ['no key', { headers: { 'Sec-WebSocket-Key': null } }, 'Bad Sec-WebSocket-Key'],
    ['a short key', { headers: { 'Sec-WebSocket-Key': 'YWJj' } }, 'Bad Sec-WebSocket-Key'],
    [
      'two keys',
      { headers: { 'Sec-WebSocket-Key': Array<string>(2).fill('dGhlIHNhbXBsZSBub25jZQ==') } },
      'More than one sec-websocket-key header',
    ],
    [
      'an upgrade to something else',
      { headers: { Upgrade: 'h2c' } },
      'Only upgrades to websocket are served',
    ],
    [
      'two upgrades',
      { headers: { Upgrade: ['websocket', 'websocket'] } },
      'Only upgrades to websocket are served',
    ],
    ['no host', { headers: { Host: null } }, 'Bad Host'],
    ['a wrong host', { headers: { Host: 'a b' } }, 'Bad Host'],
    ['two hosts', { headers: { Host: ['localhost', 'localhost'] } }, 'More than one host header'],
    [
      'two origins',
      { headers: { Origin: ['https://a.example', 'https://a.example'] } },
      'More than one origin header',
    ],
  ])('[L-1.5] a handshake with %s gets 400', async (_what, change, message) => {
    const { url } = await startLiveApp({ platform });
    const { status, body } = await WirePeer.ask(url, handshake(change));
    expect([status, JSON.parse(body)]).toEqual([400, fault(message)]);
  });

  it('[L-1.5] a handshake gets 400 while an earlier request on its socket is unanswered', async () => {
    const { url } = await startLiveApp({ platform });
    const peer = await WirePeer.connect(url);
    peer.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', handshake());
    const before = await peer.response();
    await peer.closed;
    expect(before.status).toBe(404);
  });
});

describe.each(platforms)('1. Origins, on %s', (_name, platform) => {
  const connect = async (setup: LiveAppOptions, headers: Readonly<Record<string, string>>) => {
    const { url } = await startLiveApp({ platform, ...setup });
    return LiveTestClient.connect(url, { token: 'ann', headers }).then(
      () => 'in',
      (error: HandshakeRefused) => [error.statusCode, error.body],
    );
  };
  const refused = (why: string) => [403, bodyOf(403, 'Forbidden', `Origin refused: ${why}`)];
  const byName = { options: { allowedOrigins: ['https://app.example'] } };

  it.each([
    ['https://app.example', 'in'],
    ['https://app.example:443', refused('origin-not-allowed')],
    ['https://APP.example', refused('origin-not-allowed')],
    ['http://app.example', refused('origin-not-allowed')],
    ['https://app.example.evil.example', refused('origin-not-allowed')],
    ['null', refused('origin-null')],
  ])('[L-1.7] the origin %s is compared character by character', async (origin, result) => {
    expect(await connect(byName, { origin, cookie: 'session=1' })).toEqual(result);
  });

  it('[L-1.7] a client without an Origin header is accepted', async () => {
    expect(await connect(byName, { cookie: 'session=1' })).toBe('in');
  });

  it('[L-1.7] an origin with a cookie is refused when allowedOrigins is not set', async () => {
    const origin = 'https://app.example';
    expect(await connect({}, { origin })).toBe('in');
    expect(await connect({}, { origin, cookie: 'session=1' })).toEqual(refused('origin-with-cookie'));
  });
});

const pings = [1, 2, 3].map((id) => ({ type: 'ping', id }));
const pongs = [1, 2, 3].map((id) => ({ type: 'pong', id }));

/** The type of the welcome, then every message up to the answer to a final ping. */
async function transcriptOf(peer: WirePeer): Promise<unknown[]> {
  peer.send(texts({ type: 'ping', id: 'last' }));
  const welcome = (await peer.message()) as { type: string };
  const messages: unknown[] = [welcome.type];
  for (;;) {
    const message = (await peer.message()) as { id?: unknown };
    if (message.id === 'last') return messages;
    messages.push(message);
  }
}

describeOnSockets.each(platforms)('1. Frames that come with the handshake, on %s', (_name, platform) => {
  it.each([0, 'app'] as const)(
    '[L-1.12] frames in the same segment as the handshake are handled, with port %j',
    async (port) => {
      const { url } = await startLiveApp({ platform, options: { port } });
      const peer = await WirePeer.connect(url);
      peer.send(handshake(), texts(...pings));
      expect((await peer.response()).status).toBe(101);
      expect(await transcriptOf(peer)).toEqual(['welcome', ...pongs]);
    },
  );

  it('[L-1.12] frames that arrive while the handshake is pending are handled', async () => {
    const asked = deferred();
    const decision = deferred<boolean>();
    const guard = guardThat(() => {
      asked.resolve();
      return decision.promise;
    });
    const { url } = await startLiveApp({ platform, guards: [guard] });
    const peer = await WirePeer.connect(url);
    // The first frame is split in two: part before the server sees the upgrade, the rest after.
    const bytes = texts(...pings);
    peer.send(handshake(), bytes.subarray(0, 9));
    await asked.promise;
    peer.send(bytes.subarray(9));
    // A later peer has been served, so the server has received these bytes by now.
    await WirePeer.ask(url, handshake({ target: '/elsewhere' }));
    decision.resolve(true);
    expect((await peer.response()).status).toBe(101);
    expect(await transcriptOf(peer)).toEqual(['welcome', ...pongs]);
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectionRegistry,
  JwtConnectionGuard,
  type LiveModuleOptions,
  SessionConnectionGuard,
  setConnectionIdentity,
} from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { onStreams } from '../support/door.js';
import { platforms, startLiveApp } from '../support/live-app.js';
import { serveJson } from '../support/serve-json.js';
import { RawPeer } from './support/raw-peer.js';
import { refusalOf } from './support/refusal-of.js';

const secret = 'a secret of at least thirty-two bytes';

const sign = (claims: object, end: string | number = '5m', key = secret): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(end)
    .sign(new TextEncoder().encode(key));

describe.each(platforms)('JwtConnectionGuard, on %s', (_name, platform) => {
  const start = (jwt: LiveModuleOptions['jwt'] = { secret }, options: LiveModuleOptions = {}) =>
    startLiveApp({ platform, guards: [JwtConnectionGuard], options: { ...options, ...(jwt && { jwt }) } });

  it.each([
    ['the Authorization header', (token: string) => ({ token })],
    ['the cookie live_token', (token: string) => ({ headers: { cookie: `a=b; live_token=${token}` } })],
    ['the subprotocol list', (token: string) => ({ protocols: ['live.v1', `bearer.${token}`] })],
  ])('[L-1.2] JwtConnectionGuard accepts a valid token from %s', async (_where, show) => {
    const { app, url } = await start();
    const end = Math.floor(Date.now() / 1_000) + 300;
    const client = await LiveTestClient.connect(url, show(await sign({ sub: 'ann', fleet: 7 }, end)));
    expect(await client.next()).toMatchObject({ user: { id: 'ann' }, expiresAt: end * 1_000 });
    if (!onStreams) expect(['live.v1', '']).toContain(client.socket.protocol);
    const [connection] = app.get(ConnectionRegistry).ofUser('ann');
    expect(connection?.user).toMatchObject({ id: 'ann', fleet: 7 });
  });

  it('[L-1.6] JwtConnectionGuard refuses invalid tokens with 401 and a challenge', async () => {
    const { url } = await start();
    const none = await refusalOf(url);
    expect([none.statusCode, none.headers['www-authenticate']]).toEqual([401, 'Bearer realm="live"']);
    const bad = {
      expired: await sign({ sub: 'ann' }, Math.floor(Date.now() / 1_000) - 120),
      forged: await sign({ sub: 'ann' }, '5m', secret.toUpperCase()),
      nameless: await sign({}),
      unsigned: `${btoa('{"alg":"none"}')}.${btoa('{"sub":"ann"}')}.`,
    };
    for (const [what, token] of Object.entries(bad)) {
      const { statusCode, headers, body } = await refusalOf(url, { token });
      expect([what, statusCode, headers['www-authenticate'], body]).toEqual([
        what,
        401,
        'Bearer realm="live", error="invalid_token"',
        { statusCode: 401, error: 'Unauthorized', message: 'A valid credential is required' },
      ]);
    }
  });

  it('[L-1.6] JwtConnectionGuard verifies tokens with the keys of an issuer', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwks = await serveJson(() => ({ status: 200, body: { keys: [keyOf] } }));
    const keyOf = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    const { url } = await start({ jwksUrl: jwks.url, issuer: 'me', audience: 'live' });
    const token = (audience: string) =>
      new SignJWT({ sub: 'ann' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer('me')
        .setAudience(audience)
        .setExpirationTime('5m')
        .sign(privateKey);
    const client = await LiveTestClient.connect(url, { token: await token('live') });
    expect(await client.next()).toMatchObject({ user: { id: 'ann' } });
    expect((await refusalOf(url, { token: await token('other') })).statusCode).toBe(401);
  });

  it('[L-1.10] JwtConnectionGuard answers 503 while the keys of the issuer cannot be fetched', async () => {
    const jwks = await serveJson(() => ({ status: 500, body: {} }));
    const { url } = await start({ jwksUrl: jwks.url, algorithms: ['ES256'] });
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({ sub: 'ann' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setExpirationTime('5m')
      .sign(privateKey);
    const { statusCode, headers } = await refusalOf(url, { token });
    expect([statusCode, headers['retry-after']]).toEqual([503, '5']);
  });
});

describe.each(platforms)('SessionConnectionGuard, on %s', (_name, platform) => {
  const page = 'https://app.example';
  const start = (session: NonNullable<LiveModuleOptions['session']>) =>
    startLiveApp({
      platform,
      guards: [SessionConnectionGuard],
      options: { session, allowedOrigins: [page] },
    });
  const showing = (cookie: string, origin = page) => ({ headers: { cookie, origin } });

  it('[S5] SessionConnectionGuard accepts users known to the session backend, which receives only the cookies', async () => {
    const backend = await serveJson(() => ({ status: 200, body: { id: 'ann', role: 'driver' } }));
    const { app, url } = await start({ url: backend.url });
    const client = await LiveTestClient.connect(url, {
      token: 'not for the backend',
      ...showing('sid=1; theme=dark'),
    });
    expect(await client.next()).toMatchObject({ user: { id: 'ann' } });
    const [asked] = backend.asked;
    expect([asked?.cookie, asked?.['authorization'], asked?.origin]).toEqual([
      'sid=1; theme=dark',
      undefined,
      undefined,
    ]);
    const [connection] = app.get(ConnectionRegistry).ofUser('ann');
    expect(connection?.user).toEqual({ id: 'ann', role: 'driver' });
    expect(connection?.cookieHeader).toBe('sid=1; theme=dark');
  });

  it('[L-1.6] SessionConnectionGuard refuses clients without a cookie or unknown to the backend', async () => {
    const backend = await serveJson(() => ({ status: 401, body: {} }));
    const { url } = await start({ url: backend.url });
    for (const options of [{}, showing('sid=1')]) {
      const { statusCode, headers } = await refusalOf(url, options);
      expect([statusCode, headers['www-authenticate']]).toEqual([401, 'Cookie realm="live"']);
    }
    expect(backend.asked).toHaveLength(1);
  });

  it('[L-1.10] SessionConnectionGuard answers 503 if the backend fails, redirects, sends no user or is silent', async () => {
    const answers = [
      { status: 500, body: { id: 'ann' } },
      { status: 302, body: { id: 'ann' } },
      { status: 200, body: 'ann' },
    ];
    const backend = await serveJson(() => answers.shift() ?? { status: 500, body: {} });
    const { url } = await start({ url: backend.url });
    for (const _answer of [1, 2, 3]) {
      const { statusCode, headers } = await refusalOf(url, showing('sid=1'));
      expect([statusCode, headers['retry-after']]).toEqual([503, '5']);
    }
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      silent.close();
      silent.closeAllConnections();
    });
    const port = String((silent.address() as AddressInfo).port);
    const late = await start({ url: `http://127.0.0.1:${port}/me`, timeoutMs: 50 });
    expect((await refusalOf(late.url, showing('sid=1'))).statusCode).toBe(503);
  });

  it('[L-1.7] SessionConnectionGuard does not query the backend for a page of another origin', async () => {
    const backend = await serveJson(() => ({ status: 200, body: { id: 'ann' } }));
    const { url } = await start({ url: backend.url });
    expect((await refusalOf(url, showing('sid=1', 'https://evil.example'))).statusCode).toBe(403);
    expect(backend.asked).toEqual([]);
  });
});

/** Accepts the user name of HTTP Basic credentials. */
@Injectable()
class BasicIsUser implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const text = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const id = text && atob(text).split(':')[0];
    if (id) setConnectionIdentity(request, { user: { id } });
    return Boolean(id);
  }
}

describe.each(platforms)('Origins, on %s', (_name, platform) => {
  const page = 'https://app.example';
  const outcome = async (url: string, headers: Record<string, string>): Promise<number> => {
    const peer = await RawPeer.connect(url);
    peer.upgrade(
      '/live',
      Object.entries({ authorization: 'Bearer ann', ...headers }).map((pair) => pair.join(': ')),
    );
    await peer.until('\r\n\r\n');
    peer.socket.destroy();
    return Number(peer.received.slice(9, 12));
  };

  it.each([
    [page, 101],
    ['https://APP.example', 403],
    ['http://app.example', 403],
    ['https://app.example:444', 403],
    ['https://app.example.evil.example', 403],
    ['https://evil.example', 403],
    ['null', 403],
    ['', 403],
  ])('[L-1.7] with an allowed origin configured, origin %j is answered with %i', async (origin, status) => {
    const { url } = await startLiveApp({ platform, options: { allowedOrigins: [page] } });
    expect(await outcome(url, { origin, cookie: 'a=b' })).toBe(status);
  });

  it('[L-1.7] a client without an Origin header passes, since it is no browser', async () => {
    const { url } = await startLiveApp({ platform, options: { allowedOrigins: [page] } });
    expect(await outcome(url, {})).toBe(101);
    expect(await outcome(url, { cookie: 'a=b' })).toBe(101);
  });

  it('[L-1.7] without allowed origins, an origin with a cookie is refused', async () => {
    const { url } = await startLiveApp({ platform });
    expect(await outcome(url, { origin: page, cookie: 'a=b' })).toBe(403);
    expect(await outcome(url, { origin: page })).toBe(101);
    expect(await outcome(url, { origin: 'null' })).toBe(403);
  });

  it('[L-1.7] without allowed origins, an origin with HTTP Basic credentials is refused before any guard', async () => {
    const { url } = await startLiveApp({ platform, guards: [BasicIsUser] });
    const authorization = `Basic ${btoa('ann:pw')}`;
    expect(await outcome(url, { authorization })).toBe(101);
    expect(await outcome(url, { authorization, origin: 'https://evil.example' })).toBe(403);
    const named = await startLiveApp({
      platform,
      guards: [BasicIsUser],
      options: { allowedOrigins: [page] },
    });
    expect(await outcome(named.url, { authorization, origin: page })).toBe(101);
    expect(await outcome(named.url, { authorization, origin: 'https://evil.example' })).toBe(403);
  });

  it('[L-1.7] a program that sends its target as origin with a Bearer header passes', async () => {
    const { url } = await startLiveApp({ platform, options: { allowedOrigins: [page] } });
    const origin = 'http://127.0.0.1';
    expect(await outcome(url, { origin })).toBe(101);
    expect(await outcome(url, { origin, cookie: 'a=b' })).toBe(403);
    expect(await outcome(url, { origin: 'https://evil.example' })).toBe(403);
  });

  it('[L-1.7] guards are not called for a refused origin', async () => {
    const { url } = await startLiveApp({ platform, options: { allowedOrigins: [page] } });
    const { statusCode, body } = await refusalOf(url, { headers: { origin: 'https://evil.example' } });
    expect([statusCode, body]).toEqual([
      403,
      { statusCode: 403, error: 'Forbidden', message: 'Origin refused: origin-not-allowed' },
    ]);
  });

  it('[L-1.7] dangerouslyAllowAnyOrigin accepts every page with its cookies', async () => {
    const { url } = await startLiveApp({ platform, options: { dangerouslyAllowAnyOrigin: true } });
    expect(await outcome(url, { origin: 'https://evil.example', cookie: 'a=b' })).toBe(101);
    expect(await outcome(url, { origin: 'null', cookie: 'a=b' })).toBe(101);
  });
});

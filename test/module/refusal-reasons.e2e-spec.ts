import {
  type CanActivate,
  Injectable,
  ServiceUnavailableException,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { JwtConnectionGuard, type LiveModuleOptions, SessionConnectionGuard } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { platforms, startLiveApp } from '../support/live-app.js';
import { LogRecorder } from './support/log-recorder.js';
import { RawPeer } from './support/raw-peer.js';
import { refusalOf } from './support/refusal-of.js';

const secret = 'a secret of at least thirty-two bytes';

const sign = (claims: object, key = secret): Promise<string> =>
  new SignJWT({ exp: Math.floor(Date.now() / 1_000) + 300, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(key));

/** A guard as an application writes it. Its cause may contain anything. */
@Injectable()
class OwnGuard implements CanActivate {
  canActivate(): boolean {
    const cause = Object.assign(new Error('GET https://auth.example/?token=canary'), { code: 'ECONNRESET' });
    throw new UnauthorizedException('Sign in first', { cause });
  }
}

@Injectable()
class AwayGuard implements CanActivate {
  canActivate(): boolean {
    throw new ServiceUnavailableException('The user service is away');
  }
}

describe.each(platforms)('The reason of a refusal, on %s', (_name, platform) => {
  async function start(guard: Type<CanActivate>, options: LiveModuleOptions = {}) {
    const log = new LogRecorder();
    const jwt = { secret, issuer: 'https://issuer.example' };
    const app = await startLiveApp({
      platform,
      guards: [guard],
      options: { jwt, ...options },
      before: log.use,
    });
    const reasons = (): unknown[] =>
      log
        .live('warn')
        .filter((entry) => (entry as { msg?: string }).msg?.endsWith('refused'))
        .map((entry) => (entry as { reason: unknown }).reason);
    return { ...app, log, reasons };
  }

  it("[L-1.6] an integer user id, as in the token of Nest's own guide, is accepted as text", async () => {
    const { url } = await start(JwtConnectionGuard, { jwt: { secret } });
    const client = await LiveTestClient.connect(url, { token: await sign({ sub: 1, username: 'john' }) });
    expect(await client.next()).toMatchObject({ type: 'welcome', user: { id: '1' } });
  });

  it('[L-1.6] the log has the reason for each refused token, and no part of the token', async () => {
    const { url, log, reasons } = await start(JwtConnectionGuard);
    const iss = 'https://issuer.example';
    const tokens = [
      await sign({ iss, sub: { id: 7 } }),
      await sign({ iss, sub: 2 ** 60 }),
      await sign({ iss, sub: 'u'.repeat(1_025) }),
      await sign({ iss }),
      await sign({ iss, sub: 'ann', exp: 1 }),
      await sign({ iss: 'another', sub: 'ann' }),
      await sign({ iss, sub: 'ann' }, 'another secret of thirty-two bytes or more'),
      'no.jwt.atall',
      undefined,
    ];
    for (const token of tokens) {
      const { statusCode, body } = await refusalOf(url, token === undefined ? {} : { token });
      expect([statusCode, body]).toMatchObject([401, { message: 'A valid credential is required' }]);
    }
    expect(reasons()).toEqual([
      'sub is of type object, but must be text or an integer',
      'sub is a number, but not an integer within 2^53',
      'sub has more than 1024 characters',
      'no sub',
      'ERR_JWT_EXPIRED (exp)',
      'ERR_JWT_CLAIM_VALIDATION_FAILED (iss)',
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      'ERR_JWS_INVALID',
      'no token',
    ]);
    const text = JSON.stringify(log.entries);
    for (const token of tokens) if (token !== undefined) expect(text).not.toContain(token.slice(-20));
  });

  it('[L-7.2] the log has the reason for a credential that is refused on the open connection', async () => {
    const { url, reasons } = await start(JwtConnectionGuard, { jwt: { secret } });
    const client = await LiveTestClient.connect(url, { token: await sign({ sub: 'ann' }) });
    const token = await sign({ sub: 'ann', exp: 1 });
    expect(await client.request({ type: 'auth', id: 1, token })).toMatchObject({ code: 'forbidden' });
    expect(reasons()).toEqual(['ERR_JWT_EXPIRED (exp)']);
  });

  it("[L-1.6] the log has the message of an application's guard and the code of its cause, not the cause's text", async () => {
    const { url, log, reasons } = await start(OwnGuard);
    await refusalOf(url);
    expect(reasons()).toEqual(['Sign in first (ECONNRESET)']);
    expect(JSON.stringify(log.entries)).not.toContain('canary');
  });

  it('[L-1.10] the log has the reason when a guard, a session backend or a key server is unavailable', async () => {
    const away = await start(AwayGuard);
    expect(await refusalOf(away.url)).toMatchObject({ statusCode: 503 });
    expect(away.reasons()).toEqual(['The user service is away']);
    const closed = 'http://127.0.0.1:1';
    const session = await start(SessionConnectionGuard, {
      session: { url: `${closed}/me` },
      allowedOrigins: ['https://app.example'],
    });
    expect(await refusalOf(session.url, { headers: { cookie: 'a=b' } })).toMatchObject({ statusCode: 503 });
    expect(session.reasons()).toEqual([expect.stringMatching(/^(ECONNREFUSED|TypeError)$/)]);
    const keys = await start(JwtConnectionGuard, { jwt: { jwksUrl: `${closed}/jwks` } });
    expect(await refusalOf(keys.url, { token: await sign({ sub: 'ann' }) })).toMatchObject({
      statusCode: 401,
    });
    expect(keys.reasons()).toEqual(['ERR_JOSE_ALG_NOT_ALLOWED']);
  });

  it('[L-1.4] refusals before any guard are logged, at warn once a minute', async () => {
    const { url, log, reasons } = await start(JwtConnectionGuard);
    for (let i = 0; i < 3; i++) {
      const peer = await RawPeer.connect(url);
      peer.upgrade('/elsewhere');
      await peer.closed;
    }
    const garbage = await RawPeer.connect(url);
    garbage.socket.write('\x00\x01\r\n\r\n');
    await garbage.closed;
    expect(reasons()).toEqual(['No WebSocket endpoint at this path', 'Not a valid HTTP/1.1 request']);
    const debugged = log
      .live('debug')
      .filter((entry) => (entry as { msg?: string }).msg === 'handshake refused');
    expect(debugged).toHaveLength(2);
  });

  it('[L-1.7] the log names the option to set when the page of a development server is refused', async () => {
    const { url, reasons } = await start(JwtConnectionGuard, { allowedOrigins: ['https://app.example'] });
    await refusalOf(url, { headers: { origin: 'http://localhost:5173' } });
    expect(reasons()).toEqual([
      "Origin refused: origin-not-allowed. If the page is yours, add its origin: allowedOrigins: ['http://localhost:5173']",
    ]);
  });
});

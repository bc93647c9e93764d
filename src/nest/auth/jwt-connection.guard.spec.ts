import { createHmac } from 'node:crypto';
import { IncomingMessage, type IncomingHttpHeaders, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type ExecutionContext, HttpException } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIVE_OPTIONS } from '../options/live.tokens.js';
import { connectionIdentityOf } from './connection-identity.js';
import { JwtConnectionGuard } from './jwt-connection.guard.js';

const secret = 'the-secret-of-these-tests-is-long-enough';
const jwt = { secret, issuer: 'https://issuer.example', audience: 'live' };
const now = 1_800_000_000;
const good = { iss: jwt.issuer, aud: 'live', sub: 'u1', exp: now + 600 };

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(claims: unknown, key = secret, alg = 'HS256'): string {
  const text = `${part({ alg })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

async function tryWith(guard: JwtConnectionGuard, headers: IncomingHttpHeaders) {
  const { request, response, context } = contextOf(headers);
  const ask = async () => guard.canActivate(context);
  const outcome: unknown = await ask().catch((e: unknown) => e);
  const status = outcome instanceof HttpException ? outcome.getStatus() : outcome;
  return { status, outcome, identity: connectionIdentityOf(request), headers: response.getHeaders() };
}

function contextOf(headers: IncomingHttpHeaders) {
  const request = Object.assign(new IncomingMessage(new Socket()), { headers });
  const response = new ServerResponse(request);
  const http = { getRequest: () => request, getResponse: () => response };
  return { request, response, context: { switchToHttp: () => http } as unknown as ExecutionContext };
}

const show = (token: string, guard = new JwtConnectionGuard({ jwt })) =>
  tryWith(guard, { authorization: `Bearer ${token}` });

async function start(options: object): Promise<JwtConnectionGuard> {
  const providers = [JwtConnectionGuard, { provide: LIVE_OPTIONS, useValue: options }];
  const module = await Test.createTestingModule({ providers }).compile();
  return (await module.init()).get(JwtConnectionGuard);
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 }));
afterEach(() => void vi.useRealTimers());

describe('JwtConnectionGuard', () => {
  it('[L-1.11] a valid token identifies its sub, with all claims, until its exp', async () => {
    const { status, identity, headers } = await show(signed({ ...good, live: { subscribe: ['a'] } }));
    expect(status).toBe(true);
    expect(identity).toEqual({
      user: { ...good, id: 'u1', live: { subscribe: ['a'] } },
      expiresAt: (now + 600) * 1000,
    });
    expect(headers).toEqual({});
  });

  it('[L-1.2] a valid token is also accepted from the cookie and the subprotocol', async () => {
    const guard = new JwtConnectionGuard({ jwt });
    const token = signed(good);
    expect(await tryWith(guard, { cookie: `live_token=${token}` })).toMatchObject({ status: true });
    const list = `live.v1, bearer.${token}`;
    expect(await tryWith(guard, { 'sec-websocket-protocol': list })).toMatchObject({ status: true });
  });

  it('[L-1.6] a token without exp is refused if requireExpiry is set, even if jose decides', async () => {
    const guard = new JwtConnectionGuard({ jwt: { ...jwt, requireExpiry: true } });
    const { exp: _, ...endless } = good;
    for (const claims of [endless, { ...endless, aud: ['live'] }, { ...good, exp: null }]) {
      expect((await show(signed(claims), guard)).status).toBe(401);
      await expect(guard.verify(signed(claims))).rejects.toMatchObject({ status: 401 });
    }
    expect((await show(signed(good), guard)).status).toBe(true);
  });

  it('[L-1.11] a token without exp never expires, and a far exp is still a valid date', async () => {
    const { exp: _, ...endless } = good;
    expect((await show(signed(endless))).identity).not.toHaveProperty('expiresAt');
    const { identity } = await show(signed({ ...good, exp: 1e300 }));
    expect(new Date(identity?.expiresAt ?? 0).getUTCFullYear()).toBe(275_760);
  });

  it('[L-1.11] the id is the sub, whatever claims called id and __proto__ say', async () => {
    const claims = JSON.parse(
      `${JSON.stringify(good).slice(0, -1)},"id":"admin","__proto__":{"admin":true}}`,
    ) as object;
    const { identity } = await show(signed(claims));
    expect(identity?.user).toEqual({ ...good, id: 'u1' });
    expect(Object.assign({}, identity?.user)).not.toHaveProperty('admin');
  });

  it('[L-1.6] an invalid token is refused with 401 and the error invalid_token', async () => {
    const { status, identity, headers } = await show(signed(good, 'k'.repeat(40)));
    expect({ status, identity }).toEqual({ status: 401, identity: null });
    expect(headers).toEqual({ 'www-authenticate': 'Bearer realm="live", error="invalid_token"' });
  });

  it('[L-1.6] a correctly signed ordinary token is accepted synchronously, and others are not', async () => {
    const guard = await start({ jwt });
    const say = (token: string) => {
      const { request, response, context } = contextOf({ authorization: `Bearer ${token}` });
      return { ask: () => guard.canActivate(context), request, response };
    };
    const right = say(signed(good));
    expect([right.ask(), connectionIdentityOf(right.request)?.user?.id]).toEqual([true, 'u1']);
    const expired = say(signed({ ...good, exp: now - 3_600 }));
    expect(expired.ask).toThrow(expect.objectContaining({ status: 401 }));
    const forged = say(signed(good, 'k'.repeat(40)));
    const answer = forged.ask();
    expect(answer).toBeInstanceOf(Promise);
    await expect(answer).rejects.toMatchObject({ status: 401 });
    for (const { request, response } of [expired, forged]) {
      expect(connectionIdentityOf(request)).toBeNull();
      expect(response.getHeader('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  it('[L-1.10] an unreachable key server causes a 503 with Retry-After', async () => {
    // fetch itself refuses port 1, so nothing is sent anywhere.
    const guard = new JwtConnectionGuard({
      jwt: { jwksUrl: 'http://127.0.0.1:1/jwks', algorithms: ['ES256'] },
    });
    const { status, identity, headers } = await show(signed(good, secret, 'ES256'), guard);
    expect({ status, identity, headers }).toEqual({
      status: 503,
      identity: null,
      headers: { 'retry-after': 5 },
    });
  });

  it.each([
    ['no credential', {}],
    ['another scheme', { authorization: 'Basic dTpw' }],
    ['a token of 100 KB', { authorization: `Bearer ${signed({ ...good, x: 'x'.repeat(75_000) })}` }],
  ])('[L-1.6] %s is refused with 401 and the scheme to use', async (_, headers) => {
    const refused = await tryWith(new JwtConnectionGuard({ jwt }), headers);
    expect(refused).toMatchObject({ status: 401, identity: null });
    expect(refused.headers).toEqual({ 'www-authenticate': 'Bearer realm="live"' });
    expect((refused.outcome as HttpException).getResponse()).toEqual({
      statusCode: 401,
      error: 'Unauthorized',
      message: 'A valid credential is required',
    });
  });

  it('[L-1.6] a renewal is verified like a handshake', async () => {
    const guard = new JwtConnectionGuard({ jwt });
    expect(await guard.verify(signed(good))).toMatchObject({ user: { id: 'u1' } });
    await expect(guard.verify(signed(good).slice(1))).rejects.toMatchObject({ status: 401 });
    await expect(guard.verify(`${signed(good)} `)).rejects.toMatchObject({ status: 401 });
    await expect(guard.verify('a'.repeat(100_000))).rejects.toMatchObject({ status: 401 });
  });

  it('[L-1.6] the keys of the issuer are fetched once for all tokens', async () => {
    const fetched = vi
      .spyOn(globalThis, 'fetch')
      .mockImplementation(() => Promise.resolve(Response.json({ keys: [] })));
    const guard = new JwtConnectionGuard({ jwt: { jwksUrl: 'https://issuer.example/jwks' } });
    for (const alg of ['RS256', 'ES256', 'RS256']) {
      expect(await show(signed(good, secret, alg), guard)).toMatchObject({ status: 401 });
    }
    expect(fetched).toHaveBeenCalledTimes(1);
    fetched.mockRestore();
  });

  it("[L-1.6] Nest creates the guard from the module's options, and invalid ones stop the start", async () => {
    expect(await show(signed(good), await start({ jwt }))).toMatchObject({ status: true });
    await expect(start({ jwt: { secret: 'short' } })).rejects.toThrow(
      /jwt\.secret" is a string of 5 characters/,
    );
    await expect(start({})).rejects.toThrow(/"jwt" is undefined/);
  });
});

import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { HttpException } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JwtConnectionGuard } from './jwt-connection.guard.js';

const secret = 'the-secret-of-these-tests-is-long-enough';
const jwt = { secret, issuer: 'https://issuer.example', audience: 'live' };
const now = 1_800_000_000;
const good = { iss: jwt.issuer, aud: 'live', sub: 'u1', exp: now + 600 };
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (claims: unknown, header: object): string => `${part(header)}.${part(claims)}`;

/** Signed by hand, because code that verifies signatures must not create the test's signature. */
function signed(claims: unknown, header: object = { alg: 'HS256' }, key = secret, hash = 'sha256'): string {
  const text = unsigned(claims, header);
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
}

function rsaSigned(claims: unknown): string {
  const text = unsigned(claims, { alg: 'RS256' });
  return `${text}.${createSign('sha256').update(text).sign(privateKey, 'base64url')}`;
}

const verify = (token: string) => new JwtConnectionGuard({ jwt }).verify(token);

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 }));
afterEach(() => void vi.useRealTimers());

describe('JwtConnectionGuard: forged tokens', () => {
  const [head = '', body = '', signature = ''] = signed(good).split('.');
  const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  it.each([
    ['with alg none and no signature', `${unsigned(good, { alg: 'none' })}.`],
    ['with alg NONE and a signature', signed(good, { alg: 'NONE' })],
    ['without alg', signed(good, { typ: 'JWT' })],
    ['signed with another key', signed(good, { alg: 'HS256' }, 'k'.repeat(40))],
    ['signed with an empty key', signed(good, { alg: 'HS256' }, '')],
    ['signed with HS512, which is not allowed', signed(good, { alg: 'HS512' }, secret, 'sha512')],
    ['signed with HS512 under the name HS256', signed(good, { alg: 'HS256' }, secret, 'sha512')],
    ['signed with RS256', rsaSigned(good)],
    ['expired 60 s ago', signed({ ...good, exp: now - 60 })],
    ['with exp as text', signed({ ...good, exp: `${now + 600}` })],
    ['that begins in 61 s', signed({ ...good, nbf: now + 61 })],
    ['of another issuer', signed({ ...good, iss: `${jwt.issuer}/` })],
    ['without an issuer', signed({ ...good, iss: undefined })],
    ['for another audience', signed({ ...good, aud: ['other', 'LIVE'] })],
    ['without an audience', signed({ ...good, aud: undefined })],
    ['without sub', signed({ ...good, sub: undefined })],
    ['with an empty sub', signed({ ...good, sub: '' })],
    ['with a number as sub that is no safe integer', signed({ ...good, sub: 2 ** 53 })],
    ['with an object as sub', signed({ ...good, sub: { id: 'u1' } })],
    ['with a sub of more than 1,024 characters', signed({ ...good, sub: 'u'.repeat(1_025) })],
    [
      'with a path as kid, signed with what is there',
      signed(good, { alg: 'HS256', kid: '../../dev/null' }, ''),
    ],
    ['with its own key in the header', signed(good, { alg: 'HS256', jwk: { kty: 'oct', k: 'AA' } }, '\0')],
    ['with an unknown crit', signed(good, { alg: 'HS256', crit: ['x'], x: 1 })],
    ['with an unencoded payload', signed(good, { alg: 'HS256', crit: ['b64'], b64: false })],
    ['whose claims are an array', signed([good])],
    ['whose claims were changed', `${head}.${part({ ...good, sub: 'admin' })}.${signature}`],
    ['whose signature was changed', `${head}.${body}.${flipped}`],
    ['that is cut short', signed(good).slice(0, -5)],
    ['without its signature', `${head}.${body}.`],
    ['with two parts', `${head}.${body}`],
    ['with five parts', `${head}.${body}.${signature}.a.b`],
    ['that is garbage', 'garbage'],
    ['that is dots', '..'],
    ['of 16,384 letters', 'a'.repeat(16_384)],
  ])('[L-1.6] a token %s is refused with 401', async (_, token) => {
    const refusal: unknown = await verify(token).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HttpException);
    expect(refusal).toMatchObject({ status: 401, message: 'A valid credential is required' });
    const shown = inspect(refusal, { depth: 9, showHidden: true });
    // No part of the token may appear in anything logged; parts of a few letters would match by
    // chance.
    for (const word of token.split('.').filter(({ length }) => length > 8)) expect(shown).not.toContain(word);
    expect(shown).not.toMatch(/issuer\.example|u1|admin/);
  });

  it.each([
    ['expired 59 s ago', { exp: now - 59 }],
    ['that begins in 60 s', { nbf: now + 60 }],
    ['with several audiences', { aud: ['other', 'live'] }],
  ])('[L-1.6] a token %s is accepted', async (_, change) => {
    expect(await verify(signed({ ...good, ...change }))).toMatchObject({ user: { id: 'u1' } });
  });
});

import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { jwtVerify, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { plainClaims } from './plain-claims.js';
import { sharedSecretCheck } from './shared-secret-check.js';

const secret = 'the-secret-of-these-tests-is-long-enough-for-the-hash-of-HS512-too';
const key = createSecretKey(secret, 'utf8');
const now = Math.floor(Date.now() / 1_000);
const rules = { issuer: 'https://issuer.example', audience: 'live', clockTolerance: 60 };
const good = { iss: rules.issuer, aud: 'live', sub: 'u1', exp: now + 600 };
const algorithms = ['HS256', 'HS512'];
const hashes: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(header: object, claims: unknown, hash = 'sha256', by = secret): string {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${createHmac(hash, by).update(text).digest('base64url')}`;
}

const plainRules = {
  issuer: rules.issuer,
  audience: rules.audience,
  requireExpiry: false,
  clockToleranceSeconds: rules.clockTolerance,
};

const atOnce = sharedSecretCheck(key, algorithms, {
  plain: (payload) => plainClaims(payload, plainRules),
  byJose: (unsecured) => UnsecuredJWT.decode(unsecured, rules).payload,
});

/** The claims, the code of jose's error, or a mark that the token is left to jose. */
function atOnceSays(token: string): unknown {
  try {
    return atOnce(token) ?? 'left to jose';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

async function joseSays(token: string): Promise<unknown> {
  try {
    return (await jwtVerify(token, key, { algorithms, ...rules })).payload;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

describe('sharedSecretCheck', () => {
  it.each([
    ['alg alone', { alg: 'HS256' }, 'sha256'],
    ['alg and typ', { alg: 'HS256', typ: 'JWT' }, 'sha256'],
    ['typ and alg', { typ: 'JWT', alg: 'HS512' }, 'sha512'],
  ])('[L-1.6] sharedSecretCheck itself decides about a valid token whose header is %s', (_, header, hash) => {
    expect(atOnceSays(signed(header, good, hash))).toEqual(good);
  });

  it.each([
    ['with a kid', signed({ alg: 'HS256', kid: 'k1' }, good)],
    ['with a crit', signed({ alg: 'HS256', crit: ['b64'], b64: false }, good)],
    ['of an algorithm that is not allowed', signed({ alg: 'HS384' }, good, 'sha384')],
    ['with alg none', `${encoded({ alg: 'none' })}.${encoded(good)}.`],
    ['with another key’s signature', signed({ alg: 'HS256' }, good, 'sha256', 'k'.repeat(64))],
    ['with the other hash', signed({ alg: 'HS256' }, good, 'sha512')],
    ['with a padded signature', `${signed({ alg: 'HS256' }, good)}=`],
    ['with an extra part', `${signed({ alg: 'HS256' }, good)}.${encoded(good)}`],
  ])('[L-1.6] sharedSecretCheck leaves a token %s to jose', (_, token) => {
    expect(atOnceSays(token)).toBe('left to jose');
  });

  it('[L-1.6] sharedSecretCheck decides about every token as jose does', async () => {
    const change = fc.record(
      {
        iss: fc.constantFrom(rules.issuer, 'other', 1),
        aud: fc.constantFrom('live', ['live', 'b'], 'b', null),
        sub: fc.constantFrom('u1', '', 7, { id: 'u1' }),
        exp: fc.constantFrom(now + 600, now - 50, now - 70, 'soon', null),
        nbf: fc.constantFrom(now - 1, now + 50, now + 70, '0'),
        iat: fc.constantFrom(now, now + 600, 'x'),
      },
      { requiredKeys: [] },
    );
    const header = fc.constantFrom(
      { alg: 'HS256' },
      { alg: 'HS512', typ: 'JWT' },
      { alg: 'HS384' },
      { alg: 'HS256', x: 1 },
    );
    const claims = fc.oneof(
      change.map((changed) => ({ ...good, ...changed })),
      fc.jsonValue(),
    );
    const mistake = fc.constantFrom('', 'signature', 'cut', 'payload');
    let decided = 0;
    await fc.assert(
      fc.asyncProperty(header, claims, mistake, async (itsHeader, itsClaims, itsMistake) => {
        const token = spoilt(signed(itsHeader, itsClaims, hashes[itsHeader.alg]), itsMistake);
        const said = atOnceSays(token);
        if (said === 'left to jose') return;
        decided += 1;
        expect(said).toEqual(await joseSays(token));
      }),
      { numRuns: 1_000 },
    );
    expect(decided).toBeGreaterThan(50);
  });
});

function spoilt(token: string, mistake: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  if (mistake === 'signature')
    return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  if (mistake === 'cut') return token.slice(0, -1);
  if (mistake === 'payload') return `${header}.${encoded({ ...good, sub: 'admin' })}.${signature}`;
  return token;
}

import fc from 'fast-check';
import { UnsecuredJWT } from 'jose';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { plainClaims } from './plain-claims.js';

const now = Math.floor(Date.now() / 1_000);
const rules = {
  issuer: 'https://issuer.example',
  audience: 'live',
  requireExpiry: false,
  clockToleranceSeconds: 60,
};
const good = { iss: rules.issuer, aud: 'live', sub: 'u1', exp: now + 600 };

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function joseSays(payload: string): unknown {
  const { issuer, audience, clockToleranceSeconds: clockTolerance } = rules;
  return UnsecuredJWT.decode(`${encoded({ alg: 'none' })}.${payload}.`, { issuer, audience, clockTolerance })
    .payload;
}

function isGood(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

describe('plainClaims', () => {
  it.each([
    ['the usual claims', good],
    ['claims that the application added', { ...good, roles: ['a'], name: 'Zoë', deep: { a: [1] } }],
    ['valid times', { ...good, iat: now - 5, nbf: now - 5 }],
    ['times that are off by less than the tolerance', { ...good, nbf: now + 30, exp: now - 30 }],
  ])('[L-1.6] plainClaims accepts %s unchanged', (_what, claims) => {
    expect(plainClaims(encoded(claims), rules)).toEqual(claims);
  });

  it.each([
    ['another issuer', encoded({ ...good, iss: 'other' })],
    ['no issuer', encoded({ ...good, iss: undefined })],
    ['another audience', encoded({ ...good, aud: 'other' })],
    ['several audiences', encoded({ ...good, aud: ['live', 'other'] })],
    ['an end that has passed', encoded({ ...good, exp: now - 70 })],
    ['an end that is no number', encoded({ ...good, exp: String(now + 600) })],
    ['a beginning that is to come', encoded({ ...good, nbf: now + 70 })],
    ['a beginning that is no number', encoded({ ...good, nbf: null })],
    ['a time of issue that is no number', encoded({ ...good, iat: 'now' })],
  ])('[L-1.6] plainClaims leaves %s to jose', (_what, payload) => {
    expect(plainClaims(payload, rules)).toBeUndefined();
  });

  it('[L-1.6] a token without exp is left to jose if requireExpiry is set', () => {
    const { exp: _exp, ...endless } = good;
    expect(plainClaims(encoded(endless), rules)).toEqual(endless);
    expect(plainClaims(encoded(endless), { ...rules, requireExpiry: true })).toBeUndefined();
    expect(plainClaims(encoded(good), { ...rules, requireExpiry: true })).toEqual(good);
  });

  it.each([
    ['a list', encoded([good])],
    ['a text', encoded('u1')],
    ['null', encoded(null)],
    ['no JSON', Buffer.from('{"sub":"u1"').toString('base64url')],
    ['no UTF-8', Buffer.from([...Buffer.from('{"sub":"'), 0xff, 0x22, 0x7d]).toString('base64url')],
    ['no base64url', `${encoded({ a: 10 })}~`],
    ['padding', Buffer.from('{"a":10}').toString('base64')],
    ['a character too many', `${encoded({ ab: 10 })}A`],
    ['nothing', ''],
  ])('[L-1.6] plainClaims leaves %s to jose, whatever the rules', (_what, payload) => {
    expect(plainClaims(payload, { requireExpiry: false, clockToleranceSeconds: 0 })).toBeUndefined();
  });

  it('[L-1.6] plainClaims expires a token at the same millisecond as jose', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const taken = (atMs: number, times: object): boolean[] => {
      vi.setSystemTime(atMs);
      const payload = encoded({ ...good, ...times });
      return [plainClaims(payload, rules) !== undefined, isGood(() => joseSays(payload))];
    };
    const endMs = (now + 60) * 1_000;
    expect(taken(endMs - 1, { exp: now })).toEqual([true, true]);
    expect(taken(endMs, { exp: now })).toEqual([false, false]);
    const beginMs = (now - 60) * 1_000;
    expect(taken(beginMs - 1, { nbf: now })).toEqual([false, false]);
    expect(taken(beginMs, { nbf: now })).toEqual([true, true]);
  });

  it('[L-1.6] without the options, issuer and audience are not checked', () => {
    const claims = { sub: 'u1', iss: 'any', aud: ['any'] };
    expect(plainClaims(encoded(claims), { requireExpiry: false, clockToleranceSeconds: 0 })).toEqual(claims);
  });

  it('[L-1.6] plainClaims never accepts what jose refuses, or reads it differently', () => {
    const usually = (value: unknown, ...others: unknown[]) =>
      fc.oneof({ weight: 6, arbitrary: fc.constant(value) }, fc.constantFrom(...others));
    const claims = fc.record(
      {
        iss: usually(rules.issuer, 'other', 1, null),
        aud: usually('live', ['live'], 'b', null),
        sub: fc.constantFrom('u1', 7, '__proto__'),
        exp: usually(now + 600, now - 50, now - 70, 1e300, 'soon'),
        nbf: usually(now - 1, now + 50, now + 70, '0'),
        iat: usually(now, now + 600, 'x'),
        more: fc.jsonValue(),
      },
      { requiredKeys: ['iss', 'aud'] },
    );
    const spoilt = fc.constantFrom('', '', '', '=', 'A', '+', '\u{E9}');
    let taken = 0;
    fc.assert(
      fc.property(claims, spoilt, (its, tail) => {
        const payload = encoded(its) + tail;
        const plain = plainClaims(payload, rules);
        if (plain === undefined) return;
        taken += 1;
        expect(plain).toEqual(joseSays(payload));
      }),
      { numRuns: 1_000 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { JwtConnectionOptions } from '../options/jwt-connection.options.js';
import { jwtSettingsOf } from './resolve-jwt.js';

const secret = 'k'.repeat(32);
const jwksUrl = 'https://issuer.example/jwks';
const check = (options: unknown) => () => jwtSettingsOf(options as JwtConnectionOptions);

const pem = (kind: string, modulusLength?: number): { publicKey: string; privateKey: string } =>
  generateKeyPairSync(kind as 'rsa', {
    modulusLength: modulusLength ?? 0,
    publicKeyEncoding: { format: 'pem', type: 'spki' },
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  });

describe('jwt: options at start', () => {
  it('[L-1.6] a secret allows HS256 only, 60 s of skew, any issuer and audience', () => {
    const { algorithms, clockToleranceSeconds, ...rest } = jwtSettingsOf({ secret });
    expect({ algorithms, clockToleranceSeconds }).toEqual({
      algorithms: ['HS256'],
      clockToleranceSeconds: 60,
    });
    expect(Object.keys(rest)).toEqual(['key', 'requireExpiry', 'jwksMaxStaleMs', 'cookieName']);
    expect(rest).toMatchObject({ requireExpiry: false, jwksMaxStaleMs: 3_600_000, cookieName: 'live_token' });
  });

  it('[L-1.6] a key set allows RS256, ES256 and EdDSA', () => {
    expect(jwtSettingsOf({ jwksUrl }).algorithms).toEqual(['RS256', 'ES256', 'EdDSA']);
  });

  it('[L-1.6] a key set over http is accepted from a loopback address only', () => {
    for (const host of ['localhost:1', '127.0.0.1:1', '127.1.2.3', '[::1]:1']) {
      expect(check({ jwksUrl: `http://${host}/jwks` })).not.toThrow();
    }
    for (const host of ['issuer.example', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1']) {
      expect(check({ jwksUrl: `http://${host}/jwks` })).toThrow(
        /jwt\.jwksUrl" is http on the host .+ 'https:\/\/'/,
      );
    }
  });

  it.each<[unknown, RegExp]>([
    [undefined, /"jwt" is undefined\. .*needs \{ secret \}, \{ publicKey \} or \{ jwksUrl \}/],
    [{}, /"jwt" has neither .* exactly one/],
    [{ secret, jwksUrl }, /"jwt" has both .* exactly one/],
    [{ secret: '' }, /jwt\.secret" is an empty string, 0 bytes\. .*at least 32 bytes: openssl rand/],
    [{ secret: 'k'.repeat(31) }, /jwt\.secret" is a string of 31 characters, 31 bytes\. /],
    [{ secret: 7 }, /jwt\.secret" is the number 7/],
    [{ secret, algorithms: ['HS512'] }, /jwt\.secret" is .* 32 bytes\. HS512 needs at least 64 bytes/],
    [
      { jwksUrl: 'issuer' },
      /jwt\.jwksUrl" is a string of 6 characters that is no http address\. Write one like/,
    ],
    [{ jwksUrl: 'ftp://issuer.example' }, /jwt\.jwksUrl" is .* no http address/],
    [{ jwksUrl: 'https://u:hush@issuer.example' }, /jwt\.jwksUrl" has a user name or password in it\. Leave/],
    [
      { secret, algorithms: [] },
      /jwt\.algorithms" is an array without an algorithm\. With secret, write some of HS256/,
    ],
    [{ secret, algorithms: 'HS256' }, /jwt\.algorithms" is a string of 5 characters without/],
    [{ secret, algorithms: ['none'] }, /jwt\.algorithms" holds "none"/],
    [{ secret, algorithms: ['HS256', 'RS256'] }, /jwt\.algorithms" holds "RS256"\. With secret/],
    [
      { jwksUrl, algorithms: ['RS256', 'HS256'] },
      /jwt\.algorithms" holds "HS256"\. With jwksUrl, write some of RS256/,
    ],
    [{ jwksUrl, algorithms: ['none'] }, /jwt\.algorithms" holds "none"/],
    [{ jwksUrl, algorithms: ['toString'] }, /jwt\.algorithms" holds "toString"/],
    [{ secret, issuer: '' }, /jwt\.issuer" is an empty string\. .*leave the option out/],
    [{ secret: [] }, /jwt\.secret" is an array of 0\. Write 1 to 10 secrets/],
    [{ secret: [secret, 'short'] }, /jwt\.secret" is a string of 5 characters/],
    [{ secret: Array.from({ length: 11 }, () => secret) }, /jwt\.secret" is an array of 11/],
    [{ publicKey: 'no key' }, /jwt\.publicKey" is a string of 6 characters that is no public key/],
    [{ publicKey: { kty: 'oct', k: 'canary' } }, /jwt\.publicKey" is a private key/],
    [{ publicKey: pem('rsa', 2_048).privateKey }, /jwt\.publicKey" is a private key/],
    [{ publicKey: pem('rsa', 1_024).publicKey }, /jwt\.publicKey" has 1024 bits/],
    [{ publicKey: pem('x25519').publicKey }, /jwt\.publicKey" is of a kind/],
    [{ publicKey: pem('rsa', 2_048).publicKey, algorithms: ['HS256'] }, /jwt\.algorithms" holds "HS256"/],
    [{ publicKey: pem('rsa', 2_048).publicKey, secret }, /has both secret and publicKey/],
    [{ secret, cookieName: 'a=b' }, /jwt\.cookieName" is a string of 3 characters/],
    [{ secret, jwksMaxStaleMs: -1 }, /jwt\.jwksMaxStaleMs" is the number -1/],
    [{ secret, audience: ['a'] }, /jwt\.audience" is an array/],
    [
      { secret, requireExpiry: 'true' },
      /jwt\.requireExpiry" is a string of 4 characters\. Write true or false/,
    ],
    [{ secret, requireExpiry: 1 }, /jwt\.requireExpiry" is the number 1/],
    [
      { secret, clockToleranceSeconds: -1 },
      /jwt\.clockToleranceSeconds" is the number -1\. Write a number from 0 to 300/,
    ],
    [{ secret, clockToleranceSeconds: Number.NaN }, /jwt\.clockToleranceSeconds" is the number NaN/],
    [{ secret, clockToleranceSeconds: '60' }, /jwt\.clockToleranceSeconds" is a string/],
  ])('[L-1.6] the start stops on %j', (options, message) => {
    expect(check(options)).toThrow(message);
  });

  it('[L-1.3] neither an error nor the settings show a secret', () => {
    const short = 'hush-hush-hush';
    expect(check({ secret: short })).not.toThrow(short);
    expect(check({ secret, jwksUrl: 'https://u:hush@issuer.example' })).not.toThrow('hush');
    const shown = inspect(jwtSettingsOf({ secret }), { depth: 9, showHidden: true });
    expect(shown + JSON.stringify(jwtSettingsOf({ secret }))).not.toContain(secret);
  });
});

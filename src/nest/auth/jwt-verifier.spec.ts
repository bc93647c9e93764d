import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { jwtSettingsOf } from './resolve-jwt.js';
import { createJwtVerifier, type JwtVerifier } from './jwt-verifier.js';

const [first, second] = [1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
if (!first || !second) throw new Error('no keys');

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwk = (key: KeyObject, kid: string) => ({
  ...key.export({ format: 'jwk' }),
  kid,
  alg: 'RS256',
  use: 'sig',
});
const inAnHour = () => Math.floor(Date.now() / 1000) + 3_600;

function signed(key: KeyObject, header: object = { kid: 'k1' }): string {
  const text = `${part({ alg: 'RS256', ...header })}.${part({ sub: 'u1', exp: inAnHour() })}`;
  return `${text}.${createSign('sha256').update(text).sign(key, 'base64url')}`;
}

let server: Server;
let jwksUrl: string;
let asked: number;
let answer: RequestListener;
const keySet =
  (...keys: object[]): RequestListener =>
  (_, response) =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));

beforeEach(async () => {
  asked = 0;
  answer = keySet(jwk(first.publicKey, 'k1'));
  server = createServer((request, response) => {
    asked++;
    answer(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
});

afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});

const verifier = () => createJwtVerifier(jwtSettingsOf({ jwksUrl }));

/** `true`, or the refusal with its cause, which is the code for the log. */
async function show(token: string, verify?: JwtVerifier) {
  try {
    return { claims: await (verify ?? (await verifier()))(token), status: true };
  } catch (error) {
    const { status, cause } = error as { readonly status: number; readonly cause: Error };
    return { status, cause: cause.message };
  }
}

describe('jwt: a key set', () => {
  it('[L-1.6] a token signed with a key of the set is accepted, and the set is fetched once', async () => {
    const verify = await verifier();
    expect(asked).toBe(0);
    const shown = await Promise.all([1, 2, 3].map(() => show(signed(first.privateKey), verify)));
    expect(shown.map(({ status }) => status)).toEqual([true, true, true]);
    expect(asked).toBe(1);
  });

  it('[L-1.6] a token signed with another key is refused with 401', async () => {
    expect(await show(signed(second.privateKey))).toMatchObject({ status: 401 });
  });

  it('[L-1.6] an HS256 token whose secret is the public key is refused with 401, and no key is fetched', async () => {
    const { publicKey } = first;
    const { n } = publicKey.export({ format: 'jwk' });
    for (const key of [
      publicKey.export({ format: 'pem', type: 'spki' }),
      JSON.stringify(jwk(publicKey, 'k1')),
      `${n}`,
    ]) {
      const text = `${part({ alg: 'HS256', kid: 'k1' })}.${part({ sub: 'admin', exp: inAnHour() })}`;
      const token = `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
      expect(await show(token)).toMatchObject({ status: 401, cause: 'ERR_JOSE_ALG_NOT_ALLOWED' });
    }
    expect(asked).toBe(0);
  });

  it('[L-1.6] a kid that is a path or a URL is refused with 401 and never fetched', async () => {
    const verify = await verifier();
    for (const kid of ['../../etc/passwd', `${jwksUrl}/evil`, '__proto__', '']) {
      expect(await show(signed(second.privateKey, { kid, jku: `${jwksUrl}/evil` }), verify)).toMatchObject({
        status: 401,
      });
    }
    expect(asked).toBe(1);
  });

  it('[L-1.6] a key added to the set is found after the cooldown', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const verify = await verifier();
    await show(signed(first.privateKey), verify);
    answer = keySet(jwk(second.publicKey, 'k2'));
    const fresh = signed(second.privateKey, { kid: 'k2' });
    expect(await show(fresh, verify)).toMatchObject({ status: 401 });
    vi.setSystemTime(Date.now() + 30_001);
    expect(await show(fresh, verify)).toMatchObject({ status: true });
    expect(asked).toBe(2);
  });

  it.each<[string, RequestListener]>([
    ['an error', (_, response) => void response.writeHead(500).end()],
    ['a redirect', (_, response) => void response.writeHead(302, { location: '/jwks' }).end()],
    ['text that is not JSON', (_, response) => void response.end('<html>')],
    ['JSON that is not a key set', (_, response) => void response.end('{}')],
    ['a reset', (request) => void request.socket.resetAndDestroy()],
  ])('[L-1.10] a key server that answers %s causes 503 until it has recovered', async (_, broken) => {
    answer = broken;
    const verify = await verifier();
    expect(await show(signed(first.privateKey), verify)).toMatchObject({ status: 503 });
    answer = keySet(jwk(first.publicKey, 'k1'));
    expect(await show(signed(first.privateKey), verify)).toMatchObject({ status: true });
  });

  it('[L-1.10] a key server that never answers causes 503 after two seconds', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      expect(ms).toBe(2_000);
      const controller = new AbortController();
      setTimeout(() => controller.abort(new DOMException('late', 'TimeoutError')), 20);
      return controller.signal;
    });
    answer = () => undefined;
    expect(await show(signed(first.privateKey))).toMatchObject({ status: 503, cause: 'ERR_JWKS_TIMEOUT' });
    timeout.mockRestore();
  });
});

describe('jwt: an unavailable key server', () => {
  const unavailable = { status: 503 };

  it('[L-1.6] the last good keys are used for jwksMaxStaleMs and no longer', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const stale: string[] = [];
    const settings = jwtSettingsOf({ jwksUrl, jwksMaxStaleMs: 1_200_000 });
    const verify = await createJwtVerifier(settings, undefined, (reason) => stale.push(reason));
    expect((await show(signed(first.privateKey), verify)).status).toBe(true);
    answer = (_, response) => void response.writeHead(502).end('<html>');
    vi.advanceTimersByTime(700_000);
    for (let i = 0; i < 5; i++) expect((await show(signed(first.privateKey), verify)).status).toBe(true);
    // The server is not queried again each time.
    expect([asked, stale]).toEqual([2, ['ERR_JOSE_GENERIC']]);
    // Another key may be new, so the token is neither valid nor invalid.
    expect(await show(signed(second.privateKey, { kid: 'k2' }), verify)).toMatchObject(unavailable);
    // A known key that did not sign the token proves a forgery.
    expect((await show(signed(second.privateKey), verify)).status).toBe(401);
    vi.advanceTimersByTime(600_000);
    expect(await show(signed(first.privateKey), verify)).toMatchObject(unavailable);
    answer = keySet(jwk(second.publicKey, 'k2'));
    vi.advanceTimersByTime(10_001);
    expect((await show(signed(second.privateKey, { kid: 'k2' }), verify)).status).toBe(true);
    // The server is back and no longer lists the key.
    expect((await show(signed(first.privateKey), verify)).status).toBe(401);
  });

  it('[L-1.6] with jwksMaxStaleMs: 0 no old key is used', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const verify = await createJwtVerifier(jwtSettingsOf({ jwksUrl, jwksMaxStaleMs: 0 }));
    await show(signed(first.privateKey), verify);
    answer = (_, response) => void response.destroy();
    vi.advanceTimersByTime(600_001);
    expect(await show(signed(first.privateKey), verify)).toMatchObject(unavailable);
  });
});

describe('jwt: a static public key', () => {
  it.each([
    ['PEM', (key: KeyObject) => key.export({ format: 'pem', type: 'spki' }) as string],
    ['JWK', (key: KeyObject) => key.export({ format: 'jwk' }) as Record<string, unknown>],
  ])('[L-1.6] a static public key as %s verifies its own tokens and no others', async (_format, written) => {
    const verify = await createJwtVerifier(jwtSettingsOf({ publicKey: written(first.publicKey) }));
    expect((await show(signed(first.privateKey), verify)).status).toBe(true);
    expect((await show(signed(second.privateKey), verify)).status).toBe(401);
    // The text of the public key is not a secret.
    const pem = first.publicKey.export({ format: 'pem', type: 'spki' }) as string;
    const text = `${part({ alg: 'HS256' })}.${part({ sub: 'u1', exp: inAnHour() })}`;
    const forged = `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
    expect((await show(forged, verify)).status).toBe(401);
  });

  it.each([
    ['ec', { namedCurve: 'prime256v1' }, ['ES256']],
    ['ec', { namedCurve: 'secp384r1' }, ['ES384']],
    ['ed25519', {}, ['EdDSA', 'Ed25519']],
  ] as const)(
    '[L-1.6] a public key of kind %s %j only accepts its own algorithm',
    (kind, options, algorithms) => {
      const { publicKey } = generateKeyPairSync(kind as 'ec', options as { namedCurve: string });
      const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
      expect(jwtSettingsOf({ publicKey: pem }).algorithms).toEqual(algorithms);
    },
  );
});

describe('jwt: several secrets', () => {
  it('[L-1.6] tokens signed with any of the secrets are accepted, by the fast path and by jose, and no others', async () => {
    const secrets = ['the new secret, which has 32 bytes', 'the old secret, which has 32 bytes'];
    const verify = await createJwtVerifier(jwtSettingsOf({ secret: secrets }));
    const token = (secret: string, header: object, claims: object = {}): string => {
      const text = `${part(header)}.${part({ sub: 'u1', exp: inAnHour(), ...claims })}`;
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    for (const header of [{ alg: 'HS256' }, { alg: 'HS256', typ: 'JWT', x: 1 }]) {
      for (const secret of secrets) expect((await show(token(secret, header), verify)).status).toBe(true);
      expect((await show(token('a third secret, which has 32 bytes', header), verify)).status).toBe(401);
      for (const secret of secrets)
        expect((await show(token(secret, header, { exp: 1 }), verify)).cause).toBe('ERR_JWT_EXPIRED (exp)');
    }
  });
});

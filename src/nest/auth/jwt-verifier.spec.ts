import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { jwtSettingsOf } from './jwt-settings.js';
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
  it('[L-1.6] a token signed with a key of the set is let in; the set is fetched once', async () => {
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

  it('[L-1.6] a kid that is a path or an address is refused with 401 and fetched from nowhere', async () => {
    const verify = await verifier();
    for (const kid of ['../../etc/passwd', `${jwksUrl}/evil`, '__proto__', '']) {
      expect(await show(signed(second.privateKey, { kid, jku: `${jwksUrl}/evil` }), verify)).toMatchObject({
        status: 401,
      });
    }
    expect(asked).toBe(1);
  });

  it('[L-1.6] a key that was added to the set is found after the cooldown', async () => {
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
    ['what is no JSON', (_, response) => void response.end('<html>')],
    ['what is no key set', (_, response) => void response.end('{}')],
    ['a reset', (request) => void request.socket.resetAndDestroy()],
  ])('[L-1.10] a key server that answers %s makes it 503 until it has recovered', async (_, broken) => {
    answer = broken;
    const verify = await verifier();
    expect(await show(signed(first.privateKey), verify)).toMatchObject({ status: 503 });
    answer = keySet(jwk(first.publicKey, 'k1'));
    expect(await show(signed(first.privateKey), verify)).toMatchObject({ status: true });
  });

  it('[L-1.10] a key server that never answers makes it 503 after two seconds', async () => {
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

import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Claims } from './plain-claims.js';

const hashes: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

/**
 * Header of an unsecured token. jose applies its claim rules only to whole tokens, so a verified
 * payload gets this header.
 */
const claimsHeader = encoded('{"alg":"none"}');

/** Reads a token's claims after its signature is verified. */
export interface ReadClaims {
  /** Reads claims that are certainly valid from the token's second part. */
  readonly plain: (payload: string) => Claims | undefined;
  /** Reads all others from an unsecured token by jose's rules; throws jose's errors. */
  readonly byJose: (unsecured: string) => Claims;
}

/**
 * Verifies the signature of an ordinary token synchronously and returns its claims; `undefined`
 * leaves the decision to jose. jose uses WebCrypto, which imports a key and calls a thread pool for
 * each token: 0.3 ms of CPU per hash of 200 bytes (Node 20), more than the rest of a handshake.
 * Ordinary tokens begin with exactly one of the three headers that libraries write.
 */
export function sharedSecretCheck(
  key: KeyObject,
  algorithms: readonly string[],
  read: ReadClaims,
): (token: string) => Claims | undefined {
  const hashByHeader = ordinaryHeaders(algorithms);
  return (token) => {
    const first = token.indexOf('.');
    const last = token.indexOf('.', first + 1);
    const hash = hashByHeader.get(token.slice(0, first));
    if (hash === undefined) return undefined;
    const expected = createHmac(hash, key).update(token.slice(0, last)).digest('base64url');
    if (!same(expected, token.slice(last + 1))) return undefined;
    const payload = token.slice(first + 1, last);
    return read.plain(payload) ?? read.byJose(`${claimsHeader}.${payload}.`);
  };
}

function ordinaryHeaders(algorithms: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const alg of algorithms) {
    const hash = hashes[alg];
    if (hash === undefined) continue;
    for (const header of [{ alg }, { alg, typ: 'JWT' }, { typ: 'JWT', alg }]) {
      headers.set(encoded(JSON.stringify(header)), hash);
    }
  }
  return headers;
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** Compares in constant time. */
function same(expected: string, given: string): boolean {
  if (given.length !== expected.length) return false;
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}

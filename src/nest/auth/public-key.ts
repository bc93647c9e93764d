import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { optionError } from '../options/live.errors.js';
import { kindOf } from '../options/option-checks.js';

/** Minimum bits of an RSA key according to RFC 7518, section 3.3. */
const minRsaBits = 2_048;

const fix =
  "Write the issuer's public key: a PEM text that begins with '-----BEGIN PUBLIC KEY-----', or a JWK object";

/** The option `jwt.publicKey` as a key object. Throws a start error that never shows the key. */
export function publicKeyOf(value: unknown): KeyObject {
  // A private key can sign tokens as well as verify them, so it is a secret that does not belong
  // here.
  if (isPrivate(value)) throw optionError('jwt.publicKey', 'is a private key', fix);
  const key = parsed(value);
  if (key === undefined) throw optionError('jwt.publicKey', `is ${kindOf(value)} that is no public key`, fix);
  const { asymmetricKeyDetails } = key;
  if (algorithmsFor(key).length === 0)
    throw optionError(
      'jwt.publicKey',
      'is of a kind that no algorithm here is for',
      'Use RSA, P-256, P-384, P-521 or Ed25519',
    );
  const bits = asymmetricKeyDetails?.modulusLength ?? minRsaBits;
  if (bits >= minRsaBits) return key;
  throw optionError(
    'jwt.publicKey',
    `has ${String(bits)} bits`,
    `Use an RSA key of at least ${String(minRsaBits)}`,
  );
}

const byCurve: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
};

/** The algorithms possible with a public key; the first one is the default. */
export function algorithmsFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  if (asymmetricKeyType === 'rsa') return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519'];
  return byCurve[asymmetricKeyDetails?.namedCurve ?? ''] ?? [];
}

function isPrivate(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('PRIVATE KEY');
  return typeof value === 'object' && value !== null && ('d' in value || 'k' in value);
}

function parsed(value: unknown): KeyObject | undefined {
  try {
    if (typeof value === 'string') return createPublicKey(value);
    return createPublicKey({ key: value as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}

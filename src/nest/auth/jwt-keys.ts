import { createSecretKey, type KeyObject } from 'node:crypto';
import type { JwtConnectionOptions } from '../options/jwt-connection.options.js';
import { optionError } from '../options/live.errors.js';
import { kindOf, urlOption } from '../options/option-checks.js';
import { algorithmsFor } from './public-key.js';
import type { JwtSettings } from './jwt-settings.js';

const maxSecrets = 10;

/** Minimum bytes of the secret according to RFC 7518, section 3.2: those of the hash. */
const secretBytes: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };
const publicKeyAlgorithms: readonly string[] =
  'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

export function keysOf(
  { secret, jwksUrl }: JwtConnectionOptions,
  publicKey: KeyObject | undefined,
  algorithms: readonly string[],
): Pick<JwtSettings, 'key' | 'otherSecrets'> {
  if (publicKey !== undefined) return { key: publicKey };
  if (jwksUrl !== undefined) return { key: jwksUrlOf(jwksUrl) };
  if (!Array.isArray(secret)) return { key: secretOf(secret, algorithms) };
  const [key, ...otherSecrets] = (secret as readonly unknown[]).map((each) => secretOf(each, algorithms));
  if (key !== undefined && otherSecrets.length < maxSecrets) return { key, otherSecrets };
  throw optionError('jwt.secret', `is an array of ${secret.length}`, `Write 1 to ${maxSecrets} secrets`);
}

/**
 * Secrets and public keys never mix, or a public key could be used as the secret of an HS token.
 */
export function algorithmsOf(
  { secret, algorithms }: JwtConnectionOptions,
  publicKey: KeyObject | undefined,
): readonly string[] {
  const shared = secret !== undefined;
  const ofKey = publicKey && algorithmsFor(publicKey);
  if (algorithms === undefined) {
    if (ofKey !== undefined) return publicKey?.asymmetricKeyType === 'ed25519' ? ofKey : ofKey.slice(0, 1);
    return shared ? ['HS256'] : ['RS256', 'ES256', 'EdDSA'];
  }
  const possible = ofKey ?? (shared ? Object.keys(secretBytes) : publicKeyAlgorithms);
  const fix = `With ${shared ? 'secret' : publicKey ? 'this publicKey' : 'jwksUrl'}, write some of ${possible.join(', ')}`;
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw optionError('jwt.algorithms', `is ${kindOf(algorithms)} without an algorithm`, fix);
  }
  const wrong = (algorithms as readonly unknown[]).find((name) => !possible.includes(String(name)));
  if (wrong !== undefined) throw optionError('jwt.algorithms', `holds ${JSON.stringify(wrong)}`, fix);
  return [...algorithms];
}

function secretOf(secret: unknown, algorithms: readonly string[]): KeyObject {
  const least = Math.max(...algorithms.map((name) => secretBytes[name] ?? 0));
  const bytes = typeof secret === 'string' ? Buffer.byteLength(secret) : 0;
  if (typeof secret !== 'string' || bytes < least) {
    const fix = `${algorithms.join(', ')} needs at least ${least} bytes: openssl rand -base64 ${least}`;
    throw optionError('jwt.secret', `is ${kindOf(secret)}, ${bytes} bytes`, fix);
  }
  return createSecretKey(secret, 'utf8');
}

function jwksUrlOf(value: unknown): URL {
  const url = urlOption('jwt.jwksUrl', value);
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'https:' || loopback) return url;
  // An attacker who can answer in place of the key server can sign as anyone.
  throw optionError(
    'jwt.jwksUrl',
    `is http on the host ${url.hostname}`,
    "Write 'https://', or a loopback address",
  );
}

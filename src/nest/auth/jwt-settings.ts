import { createSecretKey, type KeyObject } from 'node:crypto';
import type { JwtConnectionOptions } from '../options/jwt-connection.options.js';
import { defaultCookieName } from './credentials.js';
import { optionError } from '../options/live.errors.js';
import { kindOf, numberOption, urlOption } from '../options/option-checks.js';
import { algorithmsFor, publicKeyOf } from './public-key.js';

/** Validated options of `JwtConnectionGuard`. The secret is a key object, which no log prints. */
export interface JwtSettings {
  readonly key: KeyObject | URL;
  /** Further secrets, besides `key`, that may have signed a token. */
  readonly otherSecrets?: readonly KeyObject[];
  readonly algorithms: readonly string[];
  readonly issuer?: string;
  readonly audience?: string;
  readonly requireExpiry: boolean;
  readonly clockToleranceSeconds: number;
  readonly jwksMaxStaleMs: number;
  readonly cookieName: string;
}

const maxSecrets = 10;

/** Minimum bytes of the secret according to RFC 7518, section 3.2: those of the hash. */
const secretBytes: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };
const publicKeyAlgorithms: readonly string[] =
  'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** The ways to verify a token. */
const proofs = ['secret', 'publicKey', 'jwksUrl'] as const;

/**
 * Validates `options.jwt`. Throws a start error that names the option, the kind of value and the
 * fix.
 */
export function jwtSettingsOf(options: JwtConnectionOptions | undefined): JwtSettings {
  if (typeof options !== 'object' || options === null) {
    const fix = 'JwtConnectionGuard needs { secret }, { publicKey } or { jwksUrl }';
    throw optionError('jwt', `is ${kindOf(options)}`, fix);
  }
  const given = proofs.filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    const problem =
      given.length === 0 ? `has neither ${proofs.join(' nor ')}` : `has both ${given.join(' and ')}`;
    throw optionError('jwt', problem, 'Give exactly one of them');
  }
  const publicKey = options.publicKey === undefined ? undefined : publicKeyOf(options.publicKey);
  const algorithms = algorithmsOf(options, publicKey);
  return {
    ...keysOf(options, publicKey, algorithms),
    algorithms,
    ...claimOption('issuer', options.issuer),
    ...claimOption('audience', options.audience),
    requireExpiry: flagOption('requireExpiry', options.requireExpiry),
    clockToleranceSeconds: numberOption('jwt.clockToleranceSeconds', options.clockToleranceSeconds, {
      fallback: 60,
      least: 0,
      most: 300,
    }),
    jwksMaxStaleMs: numberOption('jwt.jwksMaxStaleMs', options.jwksMaxStaleMs, {
      fallback: 3_600_000,
      least: 0,
      most: 604_800_000,
    }),
    cookieName: cookieNameOf(options.cookieName),
  };
}

function keysOf(
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

/** The characters that RFC 6265 allows in a cookie's name. */
function cookieNameOf(value: unknown): string {
  if (value === undefined) return defaultCookieName;
  if (typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]{1,128}$/.test(value)) return value;
  throw optionError('jwt.cookieName', `is ${kindOf(value)}`, "Write a cookie's name, such as 'live_token'");
}

/**
 * Secrets and public keys never mix, or a public key could be used as the secret of an HS token.
 */
function algorithmsOf(
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

/**
 * Accepts only a boolean: the text 'true' from an environment variable would silently turn the
 * check off.
 */
function flagOption(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw optionError(`jwt.${name}`, `is ${kindOf(value)}`, 'Write true or false');
}

/** An unset environment variable yields an empty value, which must not turn the check off. */
function claimOption<Name extends 'issuer' | 'audience'>(
  name: Name,
  value: unknown,
): { [K in Name]?: string } {
  if (value === undefined) return {};
  if (typeof value === 'string' && value !== '') return { [name]: value } as { [K in Name]: string };
  throw optionError(
    `jwt.${name}`,
    `is ${kindOf(value)}`,
    'Write the text that tokens carry, or leave the option out',
  );
}

import { createSecretKey, type KeyObject } from 'node:crypto';
import type { JwtConnectionOptions } from './jwt-connection.options.js';
import { kindOf, numberOption, optionError, urlOption } from './option-error.js';

/** Checked options of `JwtConnectionGuard`. The secret is a key object, which no log prints. */
export interface JwtSettings {
  readonly key: KeyObject | URL;
  readonly algorithms: readonly string[];
  readonly issuer?: string;
  readonly audience?: string;
  readonly requireExpiry: boolean;
  readonly clockToleranceSeconds: number;
}

/** Bytes that RFC 7518, section 3.2, asks of the secret: those of the hash. */
const secretBytes: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };
const publicKeyAlgorithms: readonly string[] =
  'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** Checks `options.jwt`. Throws a start error that names the option, the kind of value and the fix. */
export function jwtSettingsOf(options: JwtConnectionOptions | undefined): JwtSettings {
  if (typeof options !== 'object' || options === null) {
    throw optionError('jwt', `is ${kindOf(options)}`, 'JwtConnectionGuard needs { secret } or { jwksUrl }');
  }
  const { secret, jwksUrl } = options;
  if ((secret === undefined) === (jwksUrl === undefined)) {
    const problem = secret === undefined ? 'has neither secret nor jwksUrl' : 'has both secret and jwksUrl';
    throw optionError('jwt', problem, 'give exactly one of them');
  }
  const algorithms = algorithmsOf(options);
  return {
    key: jwksUrl === undefined ? secretOf(secret, algorithms) : jwksUrlOf(jwksUrl),
    algorithms,
    ...claimOption('issuer', options.issuer),
    ...claimOption('audience', options.audience),
    requireExpiry: flagOption('requireExpiry', options.requireExpiry),
    clockToleranceSeconds: numberOption('jwt.clockToleranceSeconds', options.clockToleranceSeconds, {
      fallback: 60,
      least: 0,
      most: 300,
    }),
  };
}

/** Shared and public-key algorithms never mix: a public key would be taken for the secret of an HS token. */
function algorithmsOf({ secret, algorithms }: JwtConnectionOptions): readonly string[] {
  const shared = secret !== undefined;
  if (algorithms === undefined) return shared ? ['HS256'] : ['RS256', 'ES256', 'EdDSA'];
  const possible = shared ? Object.keys(secretBytes) : publicKeyAlgorithms;
  const fix = `with ${shared ? 'secret' : 'jwksUrl'}, write some of ${possible.join(', ')}`;
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
  // Who can answer for the key server on the way can sign as anybody.
  throw optionError(
    'jwt.jwksUrl',
    `is http on the host ${url.hostname}`,
    "write 'https://', or a loopback address",
  );
}

/** Only a boolean: the text 'true' of a variable would otherwise turn the check off without a word. */
function flagOption(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw optionError(`jwt.${name}`, `is ${kindOf(value)}`, 'write true or false');
}

/** An empty value is what an unset variable leaves: it must not turn the check off. */
function claimOption<Name extends 'issuer' | 'audience'>(
  name: Name,
  value: unknown,
): { [K in Name]?: string } {
  if (value === undefined) return {};
  if (typeof value === 'string' && value !== '') return { [name]: value } as { [K in Name]: string };
  throw optionError(
    `jwt.${name}`,
    `is ${kindOf(value)}`,
    'write the text that tokens carry, or leave the option out',
  );
}

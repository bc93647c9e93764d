import type { JwtConnectionOptions } from '../options/jwt-connection.options.js';
import { defaultCookieName } from './credentials.js';
import { optionError } from '../options/live.errors.js';
import { kindOf, numberOption } from '../options/option-checks.js';
import { publicKeyOf } from './public-key.js';
import { keysOf, algorithmsOf } from './jwt-keys.js';
import type { JwtSettings } from './jwt-settings.js';

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

/** The characters that RFC 6265 allows in a cookie's name. */
function cookieNameOf(value: unknown): string {
  if (value === undefined) return defaultCookieName;
  if (typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]{1,128}$/.test(value)) return value;
  throw optionError('jwt.cookieName', `is ${kindOf(value)}`, "Write a cookie's name, such as 'live_token'");
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

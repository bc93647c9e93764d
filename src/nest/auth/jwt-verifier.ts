import type { KeyObject } from 'node:crypto';
import { types } from 'node:util';
import { joseMissing } from '../options/live.errors.js';
import { keySetOf } from './key-set.js';
import { codeOf, isTokenFault, unauthorized, unavailable } from './refusal.js';
import type { JwtSettings } from './jwt-settings.js';
import { type Claims, plainClaims } from './plain-claims.js';
import { sharedSecretCheck } from './shared-secret-check.js';

/**
 * Returns the claims of a valid token, synchronously for an ordinary token whose key is known.
 * Throws or rejects with a 401 or 503 exception that contains no part of the token.
 */
export type JwtVerifier = (token: string) => Claims | Promise<Claims>;

/**
 * Loads jose on demand, because it is an optional peer that other guards do not need. Rejects with
 * an Error that says what to install. Key sets are fetched only for the first token.
 */
export async function createJwtVerifier(
  settings: JwtSettings,
  importJose: () => Promise<Jose> = () => import('jose'),
  onStale: (reason: string) => void = () => {},
): Promise<JwtVerifier> {
  const jose = await importJose().catch((error: unknown) => {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw joseMissing();
  });
  const check = checkOf(jose, settings, onStale);
  return (token) => {
    try {
      const claims = check(token);
      return types.isPromise(claims) ? claims.catch(refuse) : claims;
    } catch (error) {
      return refuse(error);
    }
  };
}

function refuse(error: unknown): never {
  const code = codeOf(error);
  throw isTokenFault(code) ? unauthorized(`${code}${claimOf(error)}`) : unavailable(code);
}

/** The registered name of the invalid claim; never its value. */
function claimOf(error: unknown): string {
  const { claim } = error as { readonly claim?: unknown };
  return typeof claim === 'string' && registeredClaims.has(claim) ? ` (${claim})` : '';
}

const registeredClaims = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat']);

type Jose = typeof import('jose');

type Check = (token: string) => Claims | Promise<Claims>;

function checkOf(jose: Jose, settings: JwtSettings, onStale: (reason: string) => void): Check {
  const { key, algorithms, issuer, audience, requireExpiry, clockToleranceSeconds } = settings;
  const claimRules = {
    clockTolerance: clockToleranceSeconds,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    ...(requireExpiry && { requiredClaims: ['exp'] }),
  };
  const options = { algorithms: [...algorithms], ...claimRules };
  if (key instanceof URL) {
    const keys = keySetOf(jose, key, { maxStaleMs: settings.jwksMaxStaleMs, onStale });
    return async (token) => (await jose.jwtVerify(token, keys, options)).payload;
  }
  if (key.type === 'public') return async (token) => (await jose.jwtVerify(token, key, options)).payload;
  const read = {
    plain: (payload: string) => plainClaims(payload, settings),
    byJose: (unsecured: string) => jose.UnsecuredJWT.decode(unsecured, claimRules).payload,
  };
  const secrets = [key, ...(settings.otherSecrets ?? [])];
  const atOnce = secrets.map((secret) => sharedSecretCheck(secret, algorithms, read));
  return (token) => {
    for (const check of atOnce) {
      const claims = check(token);
      if (claims !== undefined) return claims;
    }
    return byAnyOf(secrets, (secret) => jose.jwtVerify(token, secret, options));
  };
}

/** If the first secret did not sign the token, the next one may have. */
async function byAnyOf(
  secrets: readonly KeyObject[],
  verify: (secret: KeyObject) => Promise<{ readonly payload: Claims }>,
): Promise<Claims> {
  let failure: unknown;
  for (const secret of secrets) {
    try {
      return (await verify(secret)).payload;
    } catch (error) {
      if (codeOf(error) !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') throw error;
      failure = error;
    }
  }
  throw failure;
}

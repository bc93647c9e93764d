import { types } from 'node:util';
import { unauthorized, unavailable, codeOf } from './refusal.js';
import type { JwtSettings } from './jwt-settings.js';
import { type Claims, plainClaims } from './plain-claims.js';
import { sharedSecretCheck } from './shared-secret-check.js';

/**
 * The claims of a good token: at once for an ordinary one, where nobody needs to be asked for a key. Throws or rejects with
 * a 401 or 503 exception that holds nothing of the token.
 */
export type JwtVerifier = (token: string) => Claims | Promise<Claims>;

/** Milliseconds for the key server's answer; well below the deadline of an upgrade. */
const jwksTimeoutMs = 2_000;
/** Milliseconds between two loads that a token with an unknown key may cause. */
const jwksCooldownMs = 30_000;
const jwksMaxAgeMs = 600_000;

/** What jose calls a bad token. Any other error of it means that the keys could not be had. */
const tokenFaults =
  /^ERR_(JW[TS]_.+|JOSE_(ALG_NOT_ALLOWED|NOT_SUPPORTED)|JWKS_(NO|MULTIPLE)_MATCHING_KEYS?)$/;

/**
 * Loads jose, here and not at the top: it is an optional peer, and who brings another guard need not install it.
 * Rejects with an Error that says what to install. A key set is not fetched before the first token asks for it.
 */
export async function createJwtVerifier(
  settings: JwtSettings,
  importJose: () => Promise<Jose> = () => import('jose'),
): Promise<JwtVerifier> {
  const jose = await importJose().catch((error: unknown) => {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error('JwtConnectionGuard needs the package jose, which is not installed: npm i jose');
  });
  const check = checkOf(jose, settings);
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
  throw tokenFaults.test(code) ? unauthorized(`${code}${claimOf(error)}`) : unavailable(code);
}

/** Which claim is wrong, by its registered name; never its value. */
function claimOf(error: unknown): string {
  const { claim } = error as { readonly claim?: unknown };
  return typeof claim === 'string' && registeredClaims.has(claim) ? ` (${claim})` : '';
}

const registeredClaims = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat']);

type Jose = typeof import('jose');

function checkOf(jose: Jose, settings: JwtSettings): (token: string) => Claims | Promise<Claims> {
  const { key, algorithms, issuer, audience, requireExpiry, clockToleranceSeconds } = settings;
  const claimRules = {
    clockTolerance: clockToleranceSeconds,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    ...(requireExpiry && { requiredClaims: ['exp'] }),
  };
  const options = { algorithms: [...algorithms], ...claimRules };
  if (!(key instanceof URL)) {
    const atOnce = sharedSecretCheck(key, algorithms, {
      plain: (payload) => plainClaims(payload, settings),
      byJose: (unsecured) => jose.UnsecuredJWT.decode(unsecured, claimRules).payload,
    });
    return (token) => atOnce(token) ?? jose.jwtVerify(token, key, options).then(({ payload }) => payload);
  }
  const keySet = jose.createRemoteJWKSet(key, {
    timeoutDuration: jwksTimeoutMs,
    cooldownDuration: jwksCooldownMs,
    cacheMaxAge: jwksMaxAgeMs,
  });
  return async (token) => (await jose.jwtVerify(token, keySet, options)).payload;
}

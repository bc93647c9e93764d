import type { JwtSettings } from './jwt-settings.js';

/** What a token says. */
export type Claims = Readonly<Record<string, unknown>>;

/** What a token's claims have to say. */
export type ClaimRules = Pick<JwtSettings, 'issuer' | 'audience' | 'requireExpiry' | 'clockToleranceSeconds'>;

/** Anything else may be read in more than one way. */
const base64url = /^[\w-]+$/;
/** What bytes that are no UTF-8 become. */
const replacement = '\u{FFFD}';

/**
 * The claims of a proven token where nothing in them needs to be thought about; `undefined`: they are for jose to judge.
 * That never says yes where jose says no: a claim that is wrong or out of the ordinary is left to it.
 */
export function plainClaims(payload: string, rules: ClaimRules): Claims | undefined {
  if (!base64url.test(payload) || payload.length % 4 === 1) return undefined;
  const text = Buffer.from(payload, 'base64url').toString();
  const claims = text.includes(replacement) ? undefined : parsed(text);
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined;
  return areGood(claims as Claims, rules) ? (claims as Claims) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An inherited property is none: whatever JSON says, no claim of these names is inherited. */
function areGood(claims: Claims, rules: ClaimRules): boolean {
  const { issuer, audience, requireExpiry, clockToleranceSeconds } = rules;
  const { iss, aud, exp, nbf, iat } = claims;
  if (issuer !== undefined && iss !== issuer) return false;
  if (audience !== undefined && aud !== audience) return false;
  if (requireExpiry && exp === undefined) return false;
  const nowSeconds = Math.floor(Date.now() / 1_000);
  if (exp !== undefined && !(typeof exp === 'number' && exp > nowSeconds - clockToleranceSeconds))
    return false;
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= nowSeconds + clockToleranceSeconds))
    return false;
  return iat === undefined || typeof iat === 'number';
}

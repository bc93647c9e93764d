import type { JwtSettings } from './jwt-settings.js';

/** The claims of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/** The rules for a token's claims. */
export type ClaimRules = Pick<JwtSettings, 'issuer' | 'audience' | 'requireExpiry' | 'clockToleranceSeconds'>;

/** Any other text could be decoded in more than one way. */
const base64url = /^[\w-]+$/;
/** Marks bytes that are not valid UTF-8. */
const replacement = '\u{FFFD}';

/**
 * The claims of a verified token, if they are all ordinary; `undefined` leaves the decision to
 * jose. It never accepts what jose refuses: invalid and unusual claims are left to jose.
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

/** Inherited properties are harmless: no claim of these names is inherited. */
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

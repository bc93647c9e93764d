import { maxUserIdLength } from '../../core/cluster/read-signal.js';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import { liveUserOf, userIdOf } from './checked-identity.js';
import type { Claims } from './plain-claims.js';
import { unauthorized } from './refusal.js';

/** The last time that a `Date` can represent; a later `exp` would not survive JSON. */
const lastInstantMs = 8.64e15;

/**
 * The identity of a verified token. Its claims become the user without a copy, so each token needs
 * claims of its own.
 */
export function identityOf(claims: Claims): ConnectionIdentity {
  const { sub, exp } = claims;
  const id = userIdOf(sub);
  if (id === undefined || id.length > maxUserIdLength) throw unauthorized(faultOf(sub));
  const user = Object.hasOwn(claims, '__proto__') ? liveUserOf(claims, id) : Object.assign(claims, { id });
  return typeof exp === 'number'
    ? { user, expiresAt: Math.min(Math.floor(exp * 1000), lastInstantMs) }
    : { user };
}

/** Why a `sub` is not a user's id, for the log; never its value. */
function faultOf(sub: unknown): string {
  if (sub === undefined) return 'no sub';
  if (sub === '') return 'sub is empty';
  if (typeof sub === 'string') return `sub has more than ${maxUserIdLength} characters`;
  return typeof sub === 'number'
    ? 'sub is a number, but not an integer within 2^53'
    : `sub is ${sub === null ? 'null' : `of type ${typeof sub}`}, but must be text or an integer`;
}

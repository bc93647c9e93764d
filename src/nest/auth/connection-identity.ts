import type { ConnectionIdentity, LiveUser } from '../../core/ports/identity.js';
import { type GivenIdentity, liveUserOf, userIdOf, checkedIdentity } from './checked-identity.js';

/** A field of the request that no header can forge. */
const identityField = Symbol('nestjs-live:identity');

interface Identified {
  [identityField]?: GivenIdentity;
}

/**
 * Reports the user of a handshake. A connection guard calls it before it returns `true`; the last
 * call wins.
 *
 * @throws TypeError for a user whose id is neither a string of 1 to 1,024 characters nor an
 *   integer, and for an `expiresAt` that is not a number. The handshake is then refused, even if
 *   the guard catches the error.
 */
export function setConnectionIdentity(request: object, identity: GivenIdentity): void {
  const identified: Identified = request;
  identified[identityField] = identity;
  identified[identityField] = checkedIdentity(identity);
}

/**
 * The identity of a handshake: the one given to `setConnectionIdentity`, or the `request.user` that
 * passport and custom guards set, which never expires. Returns `null` if there is none, or if the
 * `user` has no usable `id` or `sub`. Throws like `setConnectionIdentity`.
 */
export function connectionIdentityOf(request: object): ConnectionIdentity | null {
  // A guard that reported `undefined` is refused here.
  if (identityField in request) return checkedIdentity((request as Identified)[identityField]);
  const user = userOf((request as { readonly user?: unknown }).user);
  return user && checkedIdentity({ user });
}

function userOf(value: unknown): LiveUser | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id, sub } = value as { readonly id?: unknown; readonly sub?: unknown };
  // Returned as it is: a copy would lose an entity's getters and methods.
  if (typeof id === 'string' && id !== '') return value as LiveUser;
  const text = userIdOf(id) ?? userIdOf(sub);
  return text === undefined ? null : liveUserOf(value, text);
}

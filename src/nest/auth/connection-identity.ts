import type { ConnectionIdentity, LiveUser } from '../../core/connection/live-user.js';

/** Weak, so that a handshake which comes to nothing takes its identity with it; and no header can forge an entry. */
const identities = new WeakMap<object, ConnectionIdentity>();

/** Says who the sender of a handshake is. A connection guard calls it before it returns `true`; the last call wins. */
export function setConnectionIdentity(request: object, identity: ConnectionIdentity): void {
  identities.set(request, identity);
}

/**
 * Who a guard found at the other end of this handshake: what `setConnectionIdentity` was told, else the
 * `request.user` that passport and hand-written guards leave, which then has no end.
 * `null` when nobody is known, also for a `user` without a usable `id` or `sub`.
 */
export function connectionIdentityOf(request: object): ConnectionIdentity | null {
  const told = identities.get(request);
  if (told) return told;
  const user = userOf((request as { readonly user?: unknown }).user);
  return user && { user };
}

/**
 * A `LiveUser` of these fields; `id` wins over a field of that name. A field called `__proto__`, which `JSON.parse`
 * makes a property like any other, is left out: a later `Object.assign` would turn it into a prototype.
 */
export function liveUserOf(fields: object, id: string): LiveUser {
  if (!Object.hasOwn(fields, '__proto__')) return { ...fields, id };
  return { ...Object.fromEntries(Object.entries(fields).filter(([name]) => name !== '__proto__')), id };
}

/**
 * The text form of a user's id: a string that is not empty, or an integer; `undefined` for anything else.
 * A number beyond 2^53 is none: two users could have been rounded to the same one.
 */
export function userIdOf(id: unknown): string | undefined {
  if (typeof id === 'string') return id === '' ? undefined : id;
  return Number.isSafeInteger(id) || typeof id === 'bigint' ? String(id) : undefined;
}

function userOf(value: unknown): LiveUser | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id, sub } = value as { readonly id?: unknown; readonly sub?: unknown };
  // Handed on as it is: an entity's getters and methods would not survive a copy.
  if (typeof id === 'string' && id !== '') return value as LiveUser;
  const text = userIdOf(id) ?? userIdOf(sub);
  return text === undefined ? null : liveUserOf(value, text);
}

import type { ConnectionIdentity, LiveUser } from '../../core/ports/identity.js';
import { maxUserIdLength } from '../../core/cluster/read-signal.js';
import { kindOf } from './option-error.js';

/** What a guard says about the sender of a handshake. */
export interface GivenIdentity {
  /**
   * `null` where nobody is named. An `id` is a string of 1 to 1,024 characters, or an integer (within 2^53 where it is a
   * number), which becomes its text.
   */
  readonly user: { readonly id: string | number | bigint; readonly [claim: string]: unknown } | null;
  /** The credential's end, milliseconds since 1970; absent means that it has none. */
  readonly expiresAt?: number;
}

/** Weak, so that a handshake which comes to nothing takes its identity with it; and no header can forge an entry. */
const identities = new WeakMap<object, GivenIdentity>();

/**
 * Says who the sender of a handshake is. A connection guard calls it before it returns `true`; the last call wins.
 *
 * @throws TypeError for a user whose id is neither a string of 1 to 1,024 characters nor an integer, and for an
 * `expiresAt` that is no number. The handshake is then refused, also where the guard catches the error.
 */
export function setConnectionIdentity(request: object, identity: GivenIdentity): void {
  identities.set(request, identity);
  identities.set(request, checkedIdentity(identity));
}

/**
 * Who a guard found at the other end of this handshake: what `setConnectionIdentity` was told, else the
 * `request.user` that passport and hand-written guards leave, which then has no end.
 * `null` when nobody is known, also for a `user` without a usable `id` or `sub`. Throws as `setConnectionIdentity` does.
 */
export function connectionIdentityOf(request: object): ConnectionIdentity | null {
  if (identities.has(request)) return checkedIdentity(identities.get(request) as GivenIdentity);
  const user = userOf((request as { readonly user?: unknown }).user);
  return user && checkedIdentity({ user });
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

/**
 * The identity as the server uses it: the id is text. Throws a TypeError that says what to write for one that would fail
 * later, or that would never end; it shows no text of the identity.
 */
export function checkedIdentity(given: GivenIdentity): ConnectionIdentity {
  const { user, expiresAt } = (given ?? {}) as Partial<Readonly<Record<keyof GivenIdentity, unknown>>>;
  const checked = user === null ? null : checkedUser(user);
  if (expiresAt === undefined) return { user: checked };
  if (typeof expiresAt === 'number' && Number.isFinite(expiresAt)) return { user: checked, expiresAt };
  throw wrong('expiresAt', expiresAt, 'write milliseconds since 1970, or leave it out');
}

function checkedUser(user: unknown): LiveUser {
  if (typeof user !== 'object' || user === null)
    throw wrong('user', user, 'write an object with an id, or null');
  const { id } = user as { readonly id?: unknown };
  const text = userIdOf(id);
  if (text === undefined || text.length > maxUserIdLength) {
    const allowed = `a string of 1 to ${String(maxUserIdLength)} characters, or an integer within 2^53`;
    throw wrong('user.id', id, `write ${allowed}, such as String(user.id)`);
  }
  // Handed on as it is where nothing changes: an entity's getters and methods would not survive a copy.
  return typeof id === 'string' ? (user as LiveUser) : liveUserOf(user, text);
}

function wrong(name: string, value: unknown, fix: string): TypeError {
  return new TypeError(`The identity of a connection has a wrong ${name}, ${kindOf(value)}: ${fix}`);
}

import type { ConnectionIdentity, LiveUser } from '../../core/ports/identity.js';
import { maxUserIdLength } from '../../core/cluster/read-signal.js';
import { kindOf } from '../options/option-checks.js';

/** The identity that a guard reports for a handshake. */
export interface GivenIdentity {
  /**
   * `null` for an anonymous client. An `id` is a string of 1 to 1,024 characters, or an integer
   * (within 2^53 if it is a number), which is converted to text.
   */
  readonly user: {
    /** The user's id. */
    readonly id: string | number | bigint;
    /** Other claims; they stay on the server. */
    readonly [claim: string]: unknown;
  } | null;
  /** When the credential expires, in milliseconds since 1970; absent if it never does. */
  readonly expiresAt?: number;
}

/**
 * Builds a `LiveUser`; `id` overrides a field of that name. Drops a field named `__proto__`, which
 * `JSON.parse` creates as a plain property, because `Object.assign` would turn it into a prototype.
 */
export function liveUserOf(fields: object, id: string): LiveUser {
  if (!Object.hasOwn(fields, '__proto__')) return { ...fields, id };
  return { ...Object.fromEntries(Object.entries(fields).filter(([name]) => name !== '__proto__')), id };
}

/**
 * A user's id as text: a non-empty string or an integer; `undefined` for anything else. Numbers
 * beyond 2^53 are rejected, because rounding could merge two users.
 */
export function userIdOf(id: unknown): string | undefined {
  if (typeof id === 'string') return id === '' ? undefined : id;
  return Number.isSafeInteger(id) || typeof id === 'bigint' ? String(id) : undefined;
}

/**
 * The identity as the server uses it, with the id as text. Throws a TypeError that says what to fix
 * for an identity that would fail later or never expire. The error shows no text of the identity.
 */
export function checkedIdentity(given: GivenIdentity | undefined): ConnectionIdentity {
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
  // Returned unchanged if possible: a copy would lose an entity's getters and methods.
  return typeof id === 'string' ? (user as LiveUser) : liveUserOf(user, text);
}

function wrong(name: string, value: unknown, fix: string): TypeError {
  return new TypeError(`The identity of a connection has an invalid ${name}, ${kindOf(value)}: ${fix}`);
}

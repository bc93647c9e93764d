import { type CanActivate, HttpException, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import type { RenewIdentity } from '../../core/ports/settings.js';
import type { VerifyCredential } from '../../core/ports/settings.js';
import { LiveError } from '../../protocol/live.error.js';
import { Refusal } from '../../ws/refusal.js';
import { checkedIdentity } from './connection-identity.js';
import { isLasting, reasonOf } from './refusal.js';

/**
 * What a connection guard has, beside `canActivate`, when its credential can be renewed on an open connection. A renewal
 * asks `verify` first, and then `canActivate` of all guards about the handshake with the new token in it, as
 * `Authorization: Bearer`: a guard that takes its token from elsewhere should prefer that header. [L-7.7]
 */
export interface CredentialVerifier {
  /** Says whose a token is. Rejects with an `HttpException`: 401 or 403 for a bad one, 503 when nobody can tell. */
  verify(token: string): Promise<ConnectionIdentity>;
}

/**
 * Asks all guards about the connection's handshake with this token, or without one with the cookies it came with; `null` where
 * they let in without a name.
 */
export type AskGuards = (connection: LiveConnection, token?: string) => Promise<ConnectionIdentity | null>;

type Guards = readonly (Type<CanActivate> | CanActivate)[];

/** Whether one of the guards can check a token that comes over an open connection. [L-7.5] */
export function checkTokens(guards: Guards): boolean {
  return guards.some(isVerifier);
}

/**
 * Checks the token of an `auth` message by all that the handshake had to pass: by the first guard that can check a token,
 * and then by every guard. `undefined` when none of them can. [L-7.5] [L-7.7]
 *
 * @param onRefused gets the reason, for the log
 */
export function credentialVerifier(
  guards: Guards,
  moduleRef: ModuleRef,
  askGuards: AskGuards,
  onRefused: (reason: string) => void,
): VerifyCredential | undefined {
  const guard = guards.find(isVerifier);
  if (guard === undefined) return undefined;
  return async (token, connection) => {
    // Asked for late: guards are made after this, and a test may have put another in its place.
    const verifier: unknown = typeof guard === 'function' ? moduleRef.get(guard) : guard;
    if (!canVerify(verifier)) throw new LiveError('not-implemented', 'Nothing handles this type');
    try {
      const verified = checkedIdentity(await verifier.verify(token));
      const named = (await askGuards(connection, token)) ?? verified;
      if (named.user?.id !== verified.user?.id) throw forbidden();
      return named;
    } catch (error) {
      throw answerTo(error, onRefused);
    }
  };
}

/** A no is told to the peer; what is no answer is an error for the log. */
function answerTo(error: unknown, onRefused: (reason: string) => void): unknown {
  if (!(error instanceof HttpException || error instanceof Refusal)) return error;
  const status = error instanceof Refusal ? error.statusCode : error.getStatus();
  if (status !== 429 && !isLasting(status)) return error;
  onRefused(error instanceof Refusal ? (error.reason ?? error.message) : reasonOf(error));
  if (status !== 429) return forbidden();
  const seconds = error instanceof Refusal ? Number(error.headers['retry-after']) : 0;
  return new LiveError('rate-limited', 'Too many credentials in this time', {
    retryAfterMs: (seconds > 0 ? seconds : 1) * 1_000,
  });
}

function forbidden(): LiveError {
  return new LiveError('forbidden', 'This credential is not valid here');
}

function isVerifier(guard: Type<CanActivate> | CanActivate): boolean {
  return canVerify(typeof guard === 'function' ? guard.prototype : guard);
}

function canVerify(value: unknown): value is CredentialVerifier {
  return typeof (value as Partial<CredentialVerifier> | null | undefined)?.verify === 'function';
}

/**
 * What a connection guard has, beside `canActivate`, whose sessions can be asked for again. A renewal asks `renew` first, and
 * then `canActivate` of all guards about the handshake with its cookies. [L-7.7]
 */
export interface SessionRenewer {
  /** Says whose session a cookie header is now; `undefined` for nobody's. Rejects when nobody can tell. */
  renew(cookieHeader: string): Promise<ConnectionIdentity | undefined>;
}

/** Whether one of the guards can ask for a session again. [L-7.6] */
export function renewsSessions(guards: Guards): boolean {
  return guards.some(isRenewer);
}

/**
 * Asks for the session of a connection that came with a cookie again: the first guard that can, and then every guard. Nobody's
 * where one of them says no. [L-7.6] [L-7.7]
 *
 * @param onRefused gets the reason, for the log
 */
export function sessionRenewer(
  guards: Guards,
  moduleRef: ModuleRef,
  askGuards: AskGuards,
  onRefused: (reason: string) => void,
): RenewIdentity | undefined {
  const guard = guards.find(isRenewer);
  if (guard === undefined) return undefined;
  return async (connection) => {
    const { cookieHeader } = connection;
    const renewer: unknown = typeof guard === 'function' ? moduleRef.get(guard) : guard;
    if (cookieHeader === undefined || !canRenew(renewer)) return undefined;
    const renewed = await renewer.renew(cookieHeader);
    if (renewed === undefined) return undefined;
    try {
      const named = (await askGuards(connection)) ?? renewed;
      return named.user?.id === renewed.user?.id ? named : undefined;
    } catch (error) {
      if (!(error instanceof Refusal) || !isLasting(error.statusCode)) throw error;
      onRefused(error.reason ?? error.message);
      return undefined;
    }
  };
}

function isRenewer(guard: Type<CanActivate> | CanActivate): boolean {
  return canRenew(typeof guard === 'function' ? guard.prototype : guard);
}

function canRenew(value: unknown): value is SessionRenewer {
  return typeof (value as Partial<SessionRenewer> | null | undefined)?.renew === 'function';
}

import { type CanActivate, HttpException, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { ConnectionIdentity } from '../../core/connection/live-user.js';
import type { RenewIdentity } from '../../core/connection/renewal.js';
import type { VerifyCredential } from '../../core/live.settings.js';
import { LiveError } from '../../protocol/live.error.js';
import { isLasting, reasonOf } from './refusal.js';

/** What a connection guard has, beside `canActivate`, when its credential can be renewed on an open connection. */
export interface CredentialVerifier {
  /** Says whose a token is. Rejects with an `HttpException`: 401 or 403 for a bad one, 503 when nobody can tell. */
  verify(token: string): Promise<ConnectionIdentity>;
}

/**
 * The first guard that can check a token, for `auth` messages; `undefined` when none of them can. [L-7.5]
 *
 * @param onRefused gets the reason, for the log
 */
export function credentialVerifier(
  guards: readonly (Type<CanActivate> | CanActivate)[],
  moduleRef: ModuleRef,
  onRefused: (reason: string) => void,
): VerifyCredential | undefined {
  const guard = guards.find((each) => canVerify(typeof each === 'function' ? each.prototype : each));
  if (guard === undefined) return undefined;
  return async (token) => {
    // Asked for late: guards are made after this, and a test may have put another in its place.
    const verifier: unknown = typeof guard === 'function' ? moduleRef.get(guard) : guard;
    if (!canVerify(verifier)) throw new LiveError('not-implemented', 'Nothing handles this type');
    try {
      return await verifier.verify(token);
    } catch (error) {
      if (!(error instanceof HttpException) || !isLasting(error.getStatus())) throw error;
      onRefused(reasonOf(error));
      throw new LiveError('forbidden', 'This credential is not valid here');
    }
  };
}

function canVerify(value: unknown): value is CredentialVerifier {
  return typeof (value as Partial<CredentialVerifier> | null | undefined)?.verify === 'function';
}

/** What a connection guard has whose sessions can be asked for again. */
export interface SessionRenewer {
  /** Says whose session a cookie header is now; `undefined` for nobody's. Rejects when nobody can tell. */
  renew(cookieHeader: string): Promise<ConnectionIdentity | undefined>;
}

/** The first guard that can ask for a session again, for connections that came with a cookie. [L-7.6] */
export function sessionRenewer(
  guards: readonly (Type<CanActivate> | CanActivate)[],
  moduleRef: ModuleRef,
): RenewIdentity | undefined {
  const guard = guards.find((each) => canRenew(typeof each === 'function' ? each.prototype : each));
  if (guard === undefined) return undefined;
  return async ({ cookieHeader }) => {
    const renewer: unknown = typeof guard === 'function' ? moduleRef.get(guard) : guard;
    return cookieHeader !== undefined && canRenew(renewer) ? renewer.renew(cookieHeader) : undefined;
  };
}

function canRenew(value: unknown): value is SessionRenewer {
  return typeof (value as Partial<SessionRenewer> | null | undefined)?.renew === 'function';
}

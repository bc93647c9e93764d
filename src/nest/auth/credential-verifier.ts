import { type CanActivate, HttpException, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { ConnectionIdentity } from '../../core/connection/live-user.js';
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

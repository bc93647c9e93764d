import type { CanActivate, Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import type { RenewIdentity } from '../../core/ports/settings.js';
import { Refusal } from '../../ws/refusal.js';
import { isLasting } from './refusal.js';
import type { AskGuards, Guards } from './credential-verifier.js';

/**
 * Implemented by a connection guard, besides `canActivate`, that can look a session up again. A
 * renewal calls `renew` first, then `canActivate` of all guards with the handshake and its cookies.
 * [L-7.7]
 */
export interface SessionRenewer {
  /**
   * Identifies the user of a cookie header; `undefined` if the session is over. Rejects if that
   * cannot be determined.
   */
  renew(cookieHeader: string): Promise<ConnectionIdentity | undefined>;
}

/** Whether a guard can look up a session again. [L-7.6] */
export function renewsSessions(guards: Guards): boolean {
  return guards.some(isRenewer);
}

/**
 * Looks up the session of a connection that used a cookie: with the first guard that can, then with
 * every guard. The session is over if one of them refuses. [L-7.6] [L-7.7]
 *
 * @param onRefused - called with the reason, for the log
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

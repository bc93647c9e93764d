import { type CanActivate, HttpException, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import type { VerifyCredential } from '../../core/ports/settings.js';
import { LiveError } from '../../protocol/live.error.js';
import { Refusal } from '../../ws/refusal.js';
import { checkedIdentity } from './checked-identity.js';
import { isLasting, reasonOf } from './refusal.js';

/**
 * Implemented by a connection guard, besides `canActivate`, whose credential can be renewed on an
 * open connection. A renewal calls `verify` first, then `canActivate` of all guards with the
 * handshake and the new token as `Authorization: Bearer`. A guard that reads its token elsewhere
 * should prefer that header. [L-7.7]
 */
export interface CredentialVerifier {
  /**
   * Identifies the user of a token. Rejects with an `HttpException`: 401 or 403 for an invalid
   * token, 503 if it cannot be checked.
   */
  verify(token: string): Promise<ConnectionIdentity>;
}

/**
 * Runs all guards on the connection's handshake with this token, or with its own cookies without
 * one. Resolves to `null` if they accept an anonymous client.
 */
export type AskGuards = (connection: LiveConnection, token?: string) => Promise<ConnectionIdentity | null>;

export type Guards = readonly (Type<CanActivate> | CanActivate)[];

/** Whether a guard can verify a token sent over an open connection. [L-7.5] */
export function checkTokens(guards: Guards): boolean {
  return guards.some(isVerifier);
}

/**
 * Verifies the token of an `auth` message with everything that a handshake must pass: the first
 * guard that can verify tokens, then every guard. Returns `undefined` if no guard can. [L-7.5]
 * [L-7.7]
 *
 * @param onRefused - called with the reason, for the log
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
    // Resolved late: guards are created after this, and a test may have replaced one.
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

/** A refusal is sent to the peer; any other failure is logged as an error. */
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

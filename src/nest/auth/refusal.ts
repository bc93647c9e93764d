import { type HttpException, ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';

/** Seconds after which a client may retry while keys or sessions are unavailable. */
export const retryAfterSeconds = 5;

/** 4xx statuses that do not judge the request itself, so the same request may pass later. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Whether an error of this HTTP status is a definite refusal, rather than "cannot be decided now".
 */
export function isLasting(status: number): boolean {
  return status >= 400 && status < 500 && !passing.has(status);
}

/**
 * A 401 with a fixed text. `why` is for the log only, as the exception's `cause`, and is never
 * sent. Errors of libraries must not go there: jose's contain the token's claims, fetch's the
 * cookie header.
 */
export function unauthorized(why: string): UnauthorizedException {
  return new UnauthorizedException('A valid credential is required', { cause: new Why(why) });
}

/**
 * A 503 with a fixed text that denies access because the credential cannot be checked. `why` as
 * above.
 */
export function unavailable(why: string): ServiceUnavailableException {
  return new ServiceUnavailableException('The credential cannot be checked now', { cause: new Why(why) });
}

/** jose's error codes for an invalid token. Any other code means that the keys were unavailable. */
const tokenFaults =
  /^ERR_(JW[TS]_.+|JOSE_(ALG_NOT_ALLOWED|NOT_SUPPORTED)|JWKS_(NO|MULTIPLE)_MATCHING_KEYS?)$/;

export function isTokenFault(code: string): boolean {
  return tokenFaults.test(code);
}

/** A `cause` written by this module, whose message is safe to log. */
class Why extends Error {}

/**
 * Why a guard refused, for the log: the `why` of `unauthorized` or `unavailable`; otherwise the
 * exception's own text, which the peer gets as well, and the short code of its cause.
 */
export function reasonOf(error: HttpException): string {
  const { cause, message } = error;
  if (cause instanceof Why) return cause.message;
  return cause === undefined ? message : `${message} (${codeOf(cause)})`;
}

/** The short code of a foreign error, the only part of it that is safe to keep. */
export function codeOf(error: unknown): string {
  const { code, cause, name } = (error ?? {}) as {
    code?: unknown;
    cause?: { code?: unknown };
    name?: unknown;
  };
  const found = [code, cause?.code, name].find((word) => typeof word === 'string');
  return typeof found === 'string' ? found : 'unknown';
}

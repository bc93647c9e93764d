import { type HttpException, ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';

/** Seconds after which a client may ask again while keys or sessions cannot be had. */
export const retryAfterSeconds = 5;

/** Statuses of the 4xx that say nothing of the request itself: the same one may pass later. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/** Whether an error of this HTTP status says no, and not that nobody can tell now. */
export function isLasting(status: number): boolean {
  return status >= 400 && status < 500 && !passing.has(status);
}

/**
 * A 401 with fixed words. `why` is for the log only, as the exception's `cause`; it never goes out.
 * A library's own error is not put there: jose's carries the token's claims, fetch's the cookie header.
 */
export function unauthorized(why: string): UnauthorizedException {
  return new UnauthorizedException('A valid credential is required', { cause: new Why(why) });
}

/** A 503 with fixed words, for when nobody can tell whether the credential is good: that denies. `why` as above. */
export function unavailable(why: string): ServiceUnavailableException {
  return new ServiceUnavailableException('The credential cannot be checked now', { cause: new Why(why) });
}

/** What jose calls a bad token. Any other error of it means that the keys could not be had. */
const tokenFaults =
  /^ERR_(JW[TS]_.+|JOSE_(ALG_NOT_ALLOWED|NOT_SUPPORTED)|JWKS_(NO|MULTIPLE)_MATCHING_KEYS?)$/;

export function isTokenFault(code: string): boolean {
  return tokenFaults.test(code);
}

/** A `cause` that this module wrote itself: its message is fit for the log. */
class Why extends Error {}

/**
 * Why a guard said no, for the log: what `unauthorized` or `unavailable` was told, else the exception's own words, which
 * the peer gets as well, and the short code of its cause.
 */
export function reasonOf(error: HttpException): string {
  const { cause, message } = error;
  if (cause instanceof Why) return cause.message;
  return cause === undefined ? message : `${message} (${codeOf(cause)})`;
}

/** The short code of a foreign error, which is all of it that is safe to keep. */
export function codeOf(error: unknown): string {
  const { code, cause, name } = (error ?? {}) as {
    code?: unknown;
    cause?: { code?: unknown };
    name?: unknown;
  };
  const found = [code, cause?.code, name].find((word) => typeof word === 'string');
  return typeof found === 'string' ? found : 'unknown';
}

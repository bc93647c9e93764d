import { LiveError } from '../protocol/live.error.js';
import type { Platform } from './platform.js';
import { isToken } from './wire.js';

/**
 * Why a credential is requested:
 * - `connect`: the first connection.
 * - `rejected`: a handshake failed, perhaps because of it. Browsers do not expose the HTTP status.
 * - `expired`: it has expired, or the server closed with 4501.
 * - `refresh`: it is about to expire.
 */
export type CredentialReason = 'connect' | 'rejected' | 'expired' | 'refresh';

/** Returns a token, or `undefined` for none; may be async. A call may take 30 s. */
export type CredentialFunction = (request: {
  readonly reason: CredentialReason;
}) => string | undefined | Promise<string | undefined>;

/**
 * A token, or a function that returns one. `undefined` means no token, for instance with a cookie.
 */
export type Credential = string | CredentialFunction;

/**
 * Time limit of a credential function. A call that exceeds it is abandoned and made again later.
 */
export const credentialTimeoutMs = 30_000;

export const credentialTimedOut = (): Error =>
  new Error(`The credential function did not return within ${String(credentialTimeoutMs / 1_000)} s`);

/**
 * Most handshakes fail because of the network, so the token is not renewed more often than this.
 */
const rejectedApartMs = 30_000;

/** For errors, which must not contain the token. */
const rule =
  'A credential is a JWT or another string of letters, digits and -._~; encode others as base64url';

/** Keeps the credential until there is a reason to request another. */
export class Credentials {
  #token: string | undefined;
  #reason: CredentialReason | undefined = 'connect';
  /** Expiry on the platform's monotonic clock. */
  #endsAt = Infinity;
  #rejectedAt = -Infinity;
  /** Number of the latest request. An answer that a later one has overtaken is dropped. */
  #asked = 0;
  #answered = 0;
  readonly #source: Credential | undefined;
  readonly #platform: Platform;

  constructor(source: Credential | undefined, platform: Platform) {
    this.#source = source;
    this.#platform = platform;
    if (typeof source !== 'function' && !isToken(source)) throw new LiveError('validation-failed', rule);
  }

  /** Whether a new request may return a different credential. */
  get renewable(): boolean {
    return typeof this.#source === 'function';
  }

  /** Makes the next `get` request a new credential. */
  expire(): void {
    this.#reason = 'expired';
  }

  /**
   * A handshake failed: the next `get` requests a credential, unless one was requested recently.
   */
  reject(): void {
    const now = this.#platform.now();
    if (now - this.#rejectedAt < rejectedApartMs) return;
    this.#rejectedAt = now;
    this.#reason ??= 'rejected';
  }

  /** The server accepted it, and it ends at this time of the platform's monotonic clock. */
  accepted(endsAt: number): void {
    this.#rejectedAt = -Infinity;
    this.#endsAt = endsAt;
  }

  /**
   * Rejects with the error of the function, or with a `TypeError` if it returned no valid token.
   */
  async get(): Promise<string | undefined> {
    if (this.#endsAt <= this.#platform.now()) this.#reason ??= 'expired';
    return this.#reason === undefined ? this.#token : this.renew(this.#reason);
  }

  /**
   * Always requests a new one. A result that arrives after the caller timed out is kept for `get`.
   */
  async renew(reason: CredentialReason): Promise<string | undefined> {
    const source = this.#source;
    const turn = ++this.#asked;
    const token = typeof source === 'function' ? await source({ reason }) : source;
    // Not a LiveError, so that the client retries: the function may have returned an error page.
    if (!isToken(token)) throw new TypeError(`The credential function did not return a token. ${rule}`);
    if (turn > this.#answered) {
      this.#answered = turn;
      this.#endsAt = Infinity;
      this.#token = token;
      this.#reason = undefined;
    }
    return token;
  }
}

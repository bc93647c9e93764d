import { checkToken } from './wire.js';

/**
 * Why a credential is asked for: `connect`: the first; `rejected`: a handshake failed, perhaps because of it (a browser
 * is not told the status); `expired`: it has ended, or the server closed with 4501; `refresh`: it is about to end.
 */
export type CredentialReason = 'connect' | 'rejected' | 'expired' | 'refresh';

export type CredentialFunction = (request: {
  readonly reason: CredentialReason;
}) => string | undefined | Promise<string | undefined>;

/** A token, or a function that gets one. `undefined` stands for none: a cookie may do. */
export type Credential = string | CredentialFunction;

/** Keeps the credential until there is a reason to ask for another. */
export class Credentials {
  #token: string | undefined;
  #reason: CredentialReason | undefined = 'connect';
  /** Milliseconds since 1970, as the server said; `undefined` where it did not. */
  expiresAt: number | undefined;

  constructor(
    private readonly source: Credential | undefined,
    private readonly now: () => number,
  ) {
    if (typeof source !== 'function') checkToken(source);
  }

  /** Whether asking again may give another one. */
  get renewable(): boolean {
    return typeof this.source === 'function';
  }

  /** The next `get` asks again. */
  invalidate(reason: CredentialReason): void {
    this.#reason = reason;
  }

  /** Rejects with what the function throws, and with a `LiveError` for what is no token. */
  async get(): Promise<string | undefined> {
    if (this.expiresAt !== undefined && this.expiresAt <= this.now()) this.#reason ??= 'expired';
    return this.#reason === undefined ? this.#token : this.renew(this.#reason);
  }

  /** Asks for a new one in any case. */
  async renew(reason: CredentialReason): Promise<string | undefined> {
    const { source } = this;
    const token = typeof source === 'function' ? await source({ reason }) : source;
    checkToken(token);
    this.expiresAt = undefined;
    this.#token = token;
    this.#reason = undefined;
    return token;
  }
}

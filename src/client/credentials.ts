import { positiveOrZero } from './backoff.js';
import type { Platform } from './platform.js';
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

/** A function that takes longer is asked again. */
export const credentialTimeoutMs = 30_000;

export const credentialTimedOut = (): Error =>
  new Error(`The credential function gave nothing in ${String(credentialTimeoutMs / 1_000)} s`);

/** Most failed handshakes are the network's fault: the same credential is shown again meanwhile. */
const rejectedApartMs = 30_000;

/** Keeps the credential until there is a reason to ask for another. */
export class Credentials {
  #token: string | undefined;
  #reason: CredentialReason | undefined = 'connect';
  /** On the platform's monotonic clock; `undefined` where the server named no end. */
  #endsAt: number | undefined;
  #rejectedAt = -Infinity;
  /** Numbers the questions: an answer that is overtaken by a later one is dropped. */
  #asked = 0;
  #answered = 0;

  constructor(
    private readonly source: Credential | undefined,
    private readonly platform: Platform,
  ) {
    if (typeof source !== 'function') checkToken(source);
  }

  /** Whether asking again may give another one. */
  get renewable(): boolean {
    return typeof this.source === 'function';
  }

  /** The next `get` asks again. */
  expire(): void {
    this.#reason = 'expired';
  }

  /** A handshake failed: the next `get` asks again, unless one has just been asked for because of that. */
  reject(): void {
    const now = this.platform.now();
    if (now - this.#rejectedAt < rejectedApartMs) return;
    this.#rejectedAt = now;
    this.#reason ??= 'rejected';
  }

  /** The server took it. Returns the milliseconds that it has left, `undefined` where it has no end. */
  accepted(expiresAt: number | undefined, expiresInMs: number | undefined): number | undefined {
    this.#rejectedAt = -Infinity;
    // What is left needs no clock that is right.
    const leftMs = expiresInMs ?? (expiresAt === undefined ? undefined : expiresAt - this.platform.wallMs());
    this.#endsAt = leftMs === undefined ? undefined : this.platform.now() + positiveOrZero(leftMs);
    return leftMs;
  }

  /** Rejects with what the function throws, and with an error where it gives no token. */
  async get(): Promise<string | undefined> {
    if (this.#endsAt !== undefined && this.#endsAt <= this.platform.now()) this.#reason ??= 'expired';
    return this.#reason === undefined ? this.#token : this.renew(this.#reason);
  }

  /** Asks for a new one in any case. What comes after the caller has given up is kept for the next `get`. */
  async renew(reason: CredentialReason): Promise<string | undefined> {
    const { source } = this;
    const turn = ++this.#asked;
    const token = typeof source === 'function' ? await source({ reason }) : source;
    checkGiven(token);
    if (turn > this.#answered) {
      this.#answered = turn;
      this.#endsAt = undefined;
      this.#token = token;
      this.#reason = undefined;
    }
    return token;
  }
}

/** What a function gives may be better next time, for instance an error page in the place of a token. */
function checkGiven(token: unknown): void {
  try {
    checkToken(token);
  } catch (error) {
    throw new TypeError(`The credential function gave no token. ${(error as Error).message}`, {
      cause: error,
    });
  }
}

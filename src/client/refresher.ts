import { isTemporary } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { AuthenticatedMessage, ErrorMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import { type Credentials, credentialTimedOut, credentialTimeoutMs } from './credentials.js';
import type { Port } from './port.js';

/** Minimum refresh interval, so that a wrong clock cannot cause a busy loop. */
const apartMs = 1_000;

/** Renews the credential of the open connection before it expires, if a function provides it. */
export class Refresher {
  #id: number | undefined;
  #attempt = 0;
  /** Counts connections and requests. A credential that arrives late is not sent. */
  #turn = 0;
  readonly #alarm: Alarm;
  readonly #port: Port;
  readonly #credentials: Credentials;

  constructor(port: Port, credentials: Credentials) {
    this.#port = port;
    this.#credentials = credentials;
    this.#alarm = new Alarm(port.platform);
  }

  /**
   * Refreshes after a random 80 to 90 % of the remaining time, so that clients do not refresh at
   * once.
   */
  plan({ expiresAt, expiresInMs }: Pick<AuthenticatedMessage, 'expiresAt' | 'expiresInMs'>, minMs = 0): void {
    const { platform } = this.#port;
    // `expiresInMs` does not depend on a correct local clock.
    const leftMs = expiresInMs ?? (expiresAt ?? Infinity) - platform.wallMs();
    this.#credentials.accepted(platform.now() + positiveOrZero(leftMs));
    // If it looks expired, the local clock is wrong: the server has just accepted it.
    if (this.#credentials.renewable && leftMs > 0 && leftMs < Infinity)
      this.#after(Math.max(minMs, leftMs * (0.8 + 0.1 * platform.random())));
  }

  answered(message: AuthenticatedMessage): void {
    if (!this.#take(message.id)) return;
    this.#attempt = 0;
    this.plan(message, apartMs);
  }

  /** Returns whether the error answered an `auth`. */
  failed({ id, code, message, retryAfterMs }: ErrorMessage): boolean {
    if (!this.#take(id)) return false;
    this.#port.emit('error', new LiveError(code, message));
    if (isTemporary(code)) this.#again(positiveOrZero(retryAfterMs));
    return true;
  }

  down(): void {
    this.#turn += 1;
    this.#id = undefined;
    this.#attempt = 0;
    this.#alarm.clear();
  }

  #take(id: unknown): boolean {
    if (id === undefined || id !== this.#id) return false;
    this.#id = undefined;
    this.#alarm.clear();
    return true;
  }

  #after(delayMs: number): void {
    this.#alarm.set(delayMs, () => void this.#refresh());
  }

  #again(askedForMs: number): void {
    this.#after(askedForMs + this.#port.backoffMs(this.#attempt++));
  }

  async #refresh(): Promise<void> {
    const turn = ++this.#turn;
    this.#alarm.set(credentialTimeoutMs, () => {
      this.#turn += 1;
      this.#failedWith(credentialTimedOut());
    });
    try {
      const token = await this.#credentials.renew('refresh');
      if (turn !== this.#turn) return;
      this.#alarm.clear();
      if (token === undefined) return;
      const id = this.#port.nextId();
      this.#id = id;
      this.#alarm.set(this.#port.answerTimeoutMs, () => this.#again(0));
      this.#port.send({ type: 'auth', id, token });
    } catch (error) {
      if (turn === this.#turn) this.#failedWith(error);
    }
  }

  #failedWith(error: unknown): void {
    this.#port.emit('error', error);
    this.#again(0);
  }
}

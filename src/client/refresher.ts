import { isTemporary } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { AuthenticatedMessage, ErrorMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import { type Credentials, credentialTimedOut, credentialTimeoutMs } from './credentials.js';
import type { Port } from './port.js';

/** A clock that is wrong must not make this a busy loop. */
const apartMs = 1_000;

/** Gives the open connection a new credential before the old one ends, where there is a function to ask. */
export class Refresher {
  #id: number | undefined;
  #attempt = 0;
  /** Counts connections and questions: a credential that comes late is not sent. */
  #turn = 0;
  readonly #alarm: Alarm;

  constructor(
    private readonly port: Port,
    private readonly credentials: Credentials,
  ) {
    this.#alarm = new Alarm(port.platform);
  }

  /** Somewhere in 80 to 90 % of what remains, so that clients that came together do not refresh together. */
  plan({ expiresAt, expiresInMs }: Pick<AuthenticatedMessage, 'expiresAt' | 'expiresInMs'>, minMs = 0): void {
    const leftMs = this.credentials.accepted(expiresAt, expiresInMs) ?? 0;
    // Over already, on a connection that was let in: this clock is wrong, and no plan can be made with it.
    if (!this.credentials.renewable || leftMs <= 0) return;
    this.#after(Math.max(minMs, leftMs * (0.8 + 0.1 * this.port.platform.random())));
  }

  answered(message: AuthenticatedMessage): void {
    if (!this.#take(message.id)) return;
    this.#attempt = 0;
    this.plan(message, apartMs);
  }

  /** Whether the error answers an `auth`. */
  failed({ id, code, message, retryAfterMs }: ErrorMessage): boolean {
    if (!this.#take(id)) return false;
    this.port.report(new LiveError(code, message));
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
    this.#after(askedForMs + this.port.backoffMs(this.#attempt++));
  }

  async #refresh(): Promise<void> {
    const turn = ++this.#turn;
    this.#alarm.set(credentialTimeoutMs, () => {
      this.#turn += 1;
      this.#failedWith(credentialTimedOut());
    });
    try {
      const token = await this.credentials.renew('refresh');
      if (turn !== this.#turn) return;
      this.#alarm.clear();
      if (token === undefined) return;
      const id = this.port.nextId();
      this.#id = id;
      this.#alarm.set(this.port.answerTimeoutMs, () => this.#again(0));
      this.port.send({ type: 'auth', id, token });
    } catch (error) {
      if (turn === this.#turn) this.#failedWith(error);
    }
  }

  #failedWith(error: unknown): void {
    this.port.report(error);
    this.#again(0);
  }
}

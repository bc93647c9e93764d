import { isTemporary } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { AuthenticatedMessage, WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import { type Credentials, credentialTimedOut, credentialTimeoutMs } from './credentials.js';
import type { Port } from './port.js';
import type { Requests } from './requests.js';
import type { SessionPart } from './session-part.js';

/** Minimum refresh interval, so that a wrong clock cannot cause a busy loop. */
const apartMs = 1_000;

/** Renews the credential of the open connection before it expires, if a function provides it. */
export class Refresher implements SessionPart {
  #attempt = 0;
  /** Counts connections and attempts. What comes late has no effect. */
  #turn = 0;
  readonly #alarm: Alarm;
  readonly #port: Port;
  readonly #credentials: Credentials;
  readonly #requests: Pick<Requests, 'send'>;

  constructor(port: Port, credentials: Credentials, requests: Pick<Requests, 'send'>) {
    this.#port = port;
    this.#credentials = credentials;
    this.#requests = requests;
    this.#alarm = new Alarm(port.platform);
  }

  up(welcome: WelcomeMessage, isBack: boolean): void {
    // One that is back is about to be replaced again, and its times are past.
    if (!isBack) this.#plan(welcome, 0);
  }

  down(): void {
    this.#turn += 1;
    this.#attempt = 0;
    this.#alarm.clear();
  }

  /**
   * Refreshes after a random 80 to 90 % of the remaining time, so that clients do not refresh at
   * once.
   */
  #plan(
    { expiresAt, expiresInMs }: Pick<AuthenticatedMessage, 'expiresAt' | 'expiresInMs'>,
    minMs: number,
  ): void {
    const { platform } = this.#port;
    // `expiresInMs` does not depend on a correct local clock.
    const leftMs = expiresInMs ?? (expiresAt ?? Infinity) - platform.wallMs();
    this.#credentials.accepted(platform.now() + positiveOrZero(leftMs));
    // If it looks expired, the local clock is wrong: the server has just accepted it.
    if (this.#credentials.renewable && leftMs > 0 && leftMs < Infinity)
      this.#after(Math.max(minMs, leftMs * (0.8 + 0.1 * platform.random())));
  }

  #after(delayMs: number): void {
    this.#alarm.set(delayMs, () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    const port = this.#port;
    const turn = ++this.#turn;
    const failed = (error: unknown): void => {
      if (turn !== this.#turn) return;
      this.#turn += 1;
      port.emit('error', error);
      const { code = 'unavailable', details }: Partial<LiveError> = error instanceof LiveError ? error : {};
      // The limit is that of the queue.
      if (isTemporary(code) || code === 'limit-exceeded')
        this.#after(positiveOrZero(details?.retryAfterMs) + port.backoffMs(this.#attempt++));
    };
    this.#alarm.set(credentialTimeoutMs, () => failed(credentialTimedOut()));
    try {
      const token = await this.#credentials.renew('refresh');
      if (turn !== this.#turn) return;
      this.#alarm.clear();
      if (token === undefined) return;
      const answer = await this.#requests.send({ type: 'auth', token }, port.answerTimeoutMs);
      if (turn !== this.#turn) return;
      this.#attempt = 0;
      this.#plan(answer as AuthenticatedMessage, apartMs);
    } catch (error) {
      failed(error);
    }
  }
}

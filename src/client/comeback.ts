import { backoffMs, type Backoff } from './backoff.js';
import type { Platform } from './platform.js';

/** A connection that lived this long was a good one: the back-off starts again after it. */
const stableAfterMs = 5_000;
/** A cut so soon after the page or the network came back is this client's own, and no crowd's. */
const awakeMs = 2_000;

/** Says how long to wait before the next try. */
export class Comeback {
  /** Tries that failed in a row. */
  attempt = 0;
  #openedAt = 0;
  #spreadMs = 0;
  /** The server asked not to come back before. */
  #notBefore = -Infinity;
  #awakeAt = -Infinity;

  constructor(
    private readonly platform: Platform,
    private readonly backoff: Backoff,
  ) {}

  opened(spreadMs: number): void {
    this.#openedAt = this.platform.now();
    this.#spreadMs = spreadMs;
  }

  ended(): void {
    if (this.platform.now() - this.#openedAt >= stableAfterMs) this.attempt = 0;
  }

  postpone(delayMs: number): void {
    this.#notBefore = this.platform.now() + delayMs;
  }

  /** The network or the page came back: whether the next try may come at once. */
  hurry(): boolean {
    this.#awakeAt = this.platform.now();
    const may = this.#awakeAt >= this.#notBefore;
    if (may) this.attempt = 0;
    return may;
  }

  /** The application wants it now, whatever the server asked for. */
  force(): void {
    this.#notBefore = -Infinity;
    this.attempt = 0;
  }

  /** @param crowd whether others may have been cut together with this one [L-10.5] */
  delayMs(crowd: boolean): number {
    const { platform } = this;
    const now = platform.now();
    if (this.#notBefore > now) return this.#notBefore - now;
    const spreadMs = crowd && now - this.#awakeAt > awakeMs ? this.#spreadMs : 0;
    return backoffMs(this.attempt++, this.backoff, () => platform.random(), spreadMs);
  }
}

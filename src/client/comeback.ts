import { backoffMs, type Backoff } from './backoff.js';
import type { Platform } from './platform.js';

/** A connection that lasted this long resets the back-off. */
const stableAfterMs = 5_000;
/**
 * A disconnect this soon after the page or network came back is assumed to affect only this client.
 */
const awakeMs = 2_000;

/** Computes the delay before the next connection attempt. */
export class Comeback {
  /** Consecutive failed attempts. */
  attempt = 0;
  #openedAt = 0;
  #spreadMs = 0;
  /** Earliest reconnect that the server asked for. */
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

  /** The network or the page came back. Returns whether the client may reconnect at once. */
  hurry(): boolean {
    this.#awakeAt = this.platform.now();
    const may = this.#awakeAt >= this.#notBefore;
    if (may) this.attempt = 0;
    return may;
  }

  /** The application wants to reconnect now, whatever the server asked for. */
  force(): void {
    this.#notBefore = -Infinity;
    this.attempt = 0;
  }

  /** @param crowd whether other clients may have been disconnected at the same time [L-10.5] */
  delayMs(crowd: boolean): number {
    const { platform } = this;
    const now = platform.now();
    if (this.#notBefore > now) return this.#notBefore - now;
    const spreadMs = crowd && now - this.#awakeAt > awakeMs ? this.#spreadMs : 0;
    return backoffMs(this.attempt++, this.backoff, () => platform.random(), spreadMs);
  }
}

import type { DrainingMessage } from '../protocol/messages.js';
import { backoffMs, type Backoff, positiveOrZero } from './backoff.js';
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
  /** The spread that the server suggested. */
  #suggestedMs = 0;
  /** The spread of the current tries, or 0 if only this client was disconnected. */
  #spreadMs = 0;
  /** Earliest reconnect that the server asked for. */
  #notBefore = -Infinity;
  #awakeAt = -Infinity;
  readonly #platform: Platform;
  readonly #backoff: Backoff;

  constructor(platform: Platform, backoff: Backoff) {
    this.#platform = platform;
    this.#backoff = backoff;
  }

  opened(spreadMs: number): void {
    this.#openedAt = this.#platform.now();
    this.#suggestedMs = spreadMs;
    this.#spreadMs = 0;
  }

  ended(): void {
    if (this.#platform.now() - this.#openedAt >= stableAfterMs) this.attempt = 0;
  }

  /**
   * Picks a random moment in the slot, so that clients do not reconnect all at once. Returns the
   * milliseconds until then.
   */
  postpone({ reconnectAfterMs, windowMs }: DrainingMessage): number {
    const platform = this.#platform;
    const delayMs = positiveOrZero(reconnectAfterMs) + platform.random() * positiveOrZero(windowMs);
    this.#notBefore = platform.now() + delayMs;
    return delayMs;
  }

  /** The network or the page came back. Returns whether the client may reconnect at once. */
  hurry(): boolean {
    this.#awakeAt = this.#platform.now();
    const may = this.#awakeAt >= this.#notBefore;
    if (may) this.#restart();
    return may;
  }

  /** The application wants to reconnect now, whatever the server asked for. */
  force(): void {
    this.#notBefore = -Infinity;
    this.#restart();
  }

  /** @param crowd - whether other clients may have been disconnected at the same time [L-10.5] */
  delayMs(crowd: boolean): number {
    const platform = this.#platform;
    const now = platform.now();
    if (this.#notBefore > now) return this.#notBefore - now;
    if (crowd && now - this.#awakeAt > awakeMs) this.#spreadMs = this.#suggestedMs;
    return backoffMs(this.attempt++, this.#backoff, platform.random(), this.#spreadMs);
  }

  #restart(): void {
    this.attempt = 0;
    this.#spreadMs = 0;
  }
}

import type { Platform } from './platform.js';

/** Names publications, so that the server knows one that it gets again. [L-4.15] */
export class PublishKeys {
  #head = '';
  #count = 0;
  #atMs = 0;
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** A random part, so that clients without a user do not share keys, and a number. */
  next(): string {
    const some = (): string => this.#platform.random().toString(36).slice(2);
    this.#head ||= `${some()}${some()}-`;
    return this.#head + String(++this.#count);
  }

  /** Milliseconds since 1970, higher each time, so that a store can keep the order. */
  nowMs(): number {
    return (this.#atMs = Math.max(this.#platform.wallMs(), this.#atMs + 0.001));
  }
}

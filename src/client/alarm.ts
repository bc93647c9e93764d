import type { Cancel, Platform } from './platform.js';

/** Longest supported timer delay, 24.8 days. A longer one fires at once in browsers and in Node. */
const longestTimerMs = 2_147_483_647;

/** A single timer. Setting it again replaces the previous callback and delay. */
export class Alarm {
  #cancel: Cancel | undefined;
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  get armed(): boolean {
    return !!this.#cancel;
  }

  set(delayMs: number, run: () => void): void {
    this.clear();
    const platform = this.#platform;
    this.#cancel = platform.setTimer(
      () => {
        this.#cancel = undefined;
        if (delayMs > longestTimerMs) this.set(delayMs - longestTimerMs, run);
        else run();
      },
      Math.max(0, Math.min(delayMs, longestTimerMs)),
    );
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

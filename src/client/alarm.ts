import type { Cancel, Platform } from './platform.js';

/** Longest supported timer delay, 24.8 days. A longer one fires at once in browsers and in Node. */
const longestTimerMs = 2_147_483_647;

/** A single timer. Setting it again replaces the previous callback and delay. */
export class Alarm {
  #cancel: Cancel | undefined;

  constructor(private readonly platform: Platform) {}

  get armed(): boolean {
    return this.#cancel !== undefined;
  }

  set(delayMs: number, run: () => void): void {
    this.clear();
    const due = this.platform.now() + delayMs;
    const step = (): void => {
      const left = due - this.platform.now();
      this.#cancel =
        left > longestTimerMs
          ? this.platform.setTimer(step, longestTimerMs)
          : this.platform.setTimer(
              () => {
                this.#cancel = undefined;
                run();
              },
              Math.max(0, left),
            );
    };
    step();
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

import type { RequestId } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import type { Platform } from './platform.js';

const answerWithinMs = 5_000;

/** How often the clock is looked at, and how late that must be to mean that the machine slept. */
const lookEveryMs = 30_000;
/** More than the minute to which browsers slow the timers of hidden pages. */
const sleptAfterMs = 90_000;

interface ProbeTarget {
  /** Sends one ping and returns its id. */
  ping(): RequestId;
  dead(): void;
}

/** Asks once whether a suspect link is alive, and suspects it when the machine slept. Sends nothing otherwise. */
export class Probe {
  readonly #answer: Alarm;
  readonly #look: Alarm;
  #id: RequestId | undefined;

  constructor(
    private readonly platform: Platform,
    private readonly target: ProbeTarget,
  ) {
    this.#answer = new Alarm(platform);
    this.#look = new Alarm(platform);
  }

  /** Looks out for sleep until `stop`. */
  watch(): void {
    const due = this.platform.now() + lookEveryMs;
    this.#look.set(lookEveryMs, () => {
      if (this.platform.now() - due > sleptAfterMs) this.start();
      this.watch();
    });
  }

  /** One ping at a time. */
  start(): void {
    if (this.#answer.armed) return;
    this.#answer.set(answerWithinMs, () => this.target.dead());
    this.#id = this.target.ping();
  }

  /** Whether this is the answer to the ping under way. */
  answered(id: RequestId | undefined): boolean {
    if (id === undefined || id !== this.#id || !this.#answer.armed) return false;
    this.#answer.clear();
    return true;
  }

  stop(): void {
    this.#answer.clear();
    this.#look.clear();
  }
}

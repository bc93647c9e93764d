import type { RequestId } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import type { Platform } from './platform.js';

/** Where the welcome names no limits. */
const defaults = { pingIntervalMs: 25_000, pongTimeoutMs: 10_000 };
/** How long the answer may take after the network or the page came back. */
const soonMs = 5_000;
/** A timer that comes this late was held back together with the messages. */
const heldMs = 2_000;
/** How slow a line may be: 16 KiB in a second. [L-8.5] */
const bytesPerMs = 16.384;
const maxPatience = 8;

interface ProbeTarget {
  /** Sends one ping and returns its id. */
  ping(): RequestId;
  dead(): void;
}

/** Finds out that a link is dead: by one ping when it is suspect, or when nothing has come for a while. [L-8.4] */
export class Probe {
  readonly #alarm: Alarm;
  #limits = defaults;
  #heardAt = 0;
  #due = 0;
  #id: RequestId | undefined;
  #sentAt = 0;
  #answerMs = 0;
  #held = false;
  /** Time for the bytes of an announced message, which nothing here shows. */
  #incomingMs = 0;
  /** Grows with each link that was left for silence: one that is only slow gets through in the end. */
  #patience = 1;
  #onAlive: (() => void)[] = [];

  constructor(
    private readonly platform: Platform,
    private readonly target: ProbeTarget,
  ) {
    this.#alarm = new Alarm(platform);
  }

  /** Watches a new link until `stop`. */
  watch(limits: { readonly pingIntervalMs?: number; readonly pongTimeoutMs?: number } = {}): void {
    this.#limits = {
      pingIntervalMs: positiveOrZero(limits.pingIntervalMs) || defaults.pingIntervalMs,
      pongTimeoutMs: positiveOrZero(limits.pongTimeoutMs) || defaults.pongTimeoutMs,
    };
    this.heard();
    this.#wait(this.#limits.pingIntervalMs);
  }

  /** A message has come: that is life, and what was announced is here. */
  heard(): void {
    this.#heardAt = this.platform.now();
    this.#incomingMs = 0;
  }

  /** A message of so many bytes follows. [L-8.5] */
  incoming(bytes: unknown): void {
    this.#incomingMs = positiveOrZero(bytes) / bytesPerMs;
  }

  /** Sends a ping, one at a time; `onAlive` runs when it is answered. */
  start(onAlive?: () => void, answerMs = this.#limits.pongTimeoutMs): void {
    if (onAlive !== undefined) this.#onAlive.push(onAlive);
    if (this.#id !== undefined) return;
    this.#answerMs = answerMs;
    this.#sentAt = this.platform.now();
    this.#held = false;
    this.#wait(answerMs);
    this.#id = this.target.ping();
  }

  /** The page or the network is back: the answer must come soon. */
  wake(): void {
    this.start(undefined, Math.min(soonMs, this.#limits.pongTimeoutMs));
  }

  /** Whether this is the answer to the ping under way. */
  answered(id: RequestId | undefined): boolean {
    if (id === undefined || id !== this.#id) return false;
    this.#id = undefined;
    this.#patience = 1;
    this.#wait(this.#limits.pingIntervalMs);
    for (const alive of this.#onAlive.splice(0)) alive();
    return true;
  }

  stop(): void {
    this.#alarm.clear();
    this.#id = undefined;
    this.#onAlive = [];
  }

  #wait(delayMs: number): void {
    this.#due = this.platform.now() + delayMs;
    this.#alarm.set(delayMs, () => this.#checkSilence());
  }

  #checkSilence(): void {
    const now = this.platform.now();
    const pinged = this.#id !== undefined;
    const limitMs = pinged ? this.#answerMs * this.#patience + this.#incomingMs : this.#limits.pingIntervalMs;
    const leftMs = (pinged ? Math.max(this.#sentAt, this.#heardAt) : this.#heardAt) + limitMs - now;
    if (leftMs > 0) this.#wait(leftMs);
    else if (!pinged) this.start();
    else if (now - this.#due > heldMs && !this.#held) {
      // The machine slept, or the page did: the answer may be here already.
      this.#held = true;
      this.#wait(Math.min(soonMs, this.#answerMs));
    } else {
      this.#patience = Math.min(maxPatience, this.#patience * 2);
      this.target.dead();
    }
  }
}

import type { RequestId } from '../protocol/client-messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import type { Platform } from './platform.js';

/** Used if the welcome names no limits. */
const defaults = { pingIntervalMs: 25_000, pongTimeoutMs: 10_000 };
/** Time limit of a pong after the network or the page came back. */
const soonMs = 5_000;
/** A timer this late was suspended, and received messages may still be queued. */
const heldMs = 2_000;
/** Slowest supported line: 16 KiB per second. [L-8.5] */
const bytesPerMs = 16.384;
const maxPatience = 8;

interface ProbeTarget {
  /** Sends one ping and returns its id. */
  ping(): RequestId;
  dead(): void;
}

/** Detects a dead link by one ping, sent on suspicion or after a period of silence. [L-8.4] */
export class Probe {
  readonly #alarm: Alarm;
  #limits = defaults;
  #heardAt = 0;
  #due = 0;
  #id: RequestId | undefined;
  #sentAt = 0;
  #answerMs = 0;
  #held = false;
  /** Extra time for an announced message, which is invisible until complete. */
  #incomingMs = 0;
  /** Doubles with each link dropped for silence, so that a slow one succeeds in the end. */
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

  /** A message arrived: the link is alive, and an announced message is complete. */
  heard(): void {
    this.#heardAt = this.platform.now();
    this.#incomingMs = 0;
  }

  /** Announces a message of this many bytes. [L-8.5] */
  incoming(bytes: unknown): void {
    this.#incomingMs = positiveOrZero(bytes) / bytesPerMs;
  }

  /** Sends a ping, one at a time. `onAlive` runs when it is answered. */
  start(onAlive?: () => void, answerMs = this.#limits.pongTimeoutMs): void {
    if (onAlive !== undefined) this.#onAlive.push(onAlive);
    if (this.#id !== undefined) return;
    this.#answerMs = answerMs;
    this.#sentAt = this.platform.now();
    this.#held = false;
    this.#wait(answerMs);
    this.#id = this.target.ping();
  }

  /** The page or the network is back, so the answer must come soon. */
  wake(): void {
    this.start(undefined, Math.min(soonMs, this.#limits.pongTimeoutMs));
  }

  /** Returns whether `id` is that of the current ping, and if so marks the link alive. */
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
      // The machine or the page was suspended, and the answer may already be queued.
      this.#held = true;
      this.#wait(Math.min(soonMs, this.#answerMs));
    } else {
      this.#patience = Math.min(maxPatience, this.#patience * 2);
      this.target.dead();
    }
  }
}

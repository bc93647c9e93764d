import type { RequestId } from '../protocol/client-messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import type { Platform } from './platform.js';
import type { SessionPart } from './session-part.js';

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
export interface Probe extends SessionPart {
  /** Sends a ping, one at a time. `onAlive` runs when it is answered. */
  start(onAlive?: () => void): void;
  /** The page or the network is back, so the answer must come soon. */
  wake(): void;
}

/** Makes a probe that stands still until it watches a link. */
export function probeOf(platform: Platform, target: ProbeTarget): Probe {
  const alarm = new Alarm(platform);
  let intervalMs = 0;
  let pongMs = 0;
  let heardAt = 0;
  let due = 0;
  /** Of the current ping. */
  let id: RequestId | undefined;
  let sentAt = 0;
  let answerMs = 0;
  let isHeld = false;
  /** Extra time for an announced message, which is invisible until complete. */
  let incomingMs = 0;
  /** Doubles with each link dropped for silence, so that a slow one succeeds in the end. */
  let patience = 1;
  let whenAlive: (() => void)[] = [];

  const wait = (delayMs: number): void => {
    due = platform.now() + delayMs;
    alarm.set(delayMs, checkSilence);
  };
  const ping = (withinMs: number): void => {
    if (id !== undefined) return;
    answerMs = withinMs;
    sentAt = platform.now();
    isHeld = false;
    wait(answerMs);
    id = target.ping();
  };
  const checkSilence = (): void => {
    const now = platform.now();
    const pinged = id !== undefined;
    const limitMs = pinged ? answerMs * patience + incomingMs : intervalMs;
    const leftMs = (pinged ? Math.max(sentAt, heardAt) : heardAt) + limitMs - now;
    if (leftMs > 0) wait(leftMs);
    else if (!pinged) ping(pongMs);
    else if (now - due > heldMs && !isHeld) {
      // The machine or the page was suspended, and the answer may already be queued.
      isHeld = true;
      wait(Math.min(soonMs, answerMs));
    } else {
      patience = Math.min(maxPatience, patience * 2);
      target.dead();
    }
  };
  const heard = (): void => {
    heardAt = platform.now();
    incomingMs = 0;
  };
  return {
    up({ limits }) {
      intervalMs = positiveOrZero(limits.pingIntervalMs) || defaults.pingIntervalMs;
      pongMs = positiveOrZero(limits.pongTimeoutMs) || defaults.pongTimeoutMs;
      heard();
      wait(intervalMs);
    },
    down() {
      alarm.clear();
      id = undefined;
      whenAlive = [];
    },
    /** Every message shows that the link is alive, and that an announced one is complete. */
    message(message) {
      heard();
      if (message.type === 'incoming') incomingMs = positiveOrZero(message.bytes) / bytesPerMs;
      // An error in answer to a ping also proves that the link is alive.
      if (message.type !== 'pong' && message.type !== 'error') return message.type === 'incoming';
      if (message.id === undefined || message.id !== id) return false;
      id = undefined;
      patience = 1;
      wait(intervalMs);
      for (const alive of whenAlive.splice(0)) alive();
      return true;
    },
    start(onAlive) {
      if (onAlive !== undefined) whenAlive.push(onAlive);
      ping(pongMs);
    },
    wake: () => ping(Math.min(soonMs, pongMs)),
  };
}

import { CloseCode, CloseReason } from '../../protocol/codes.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { LiveConnection } from '../ports/connection.js';
import type { InboundRate } from '../ports/limits.js';

/** A peer whose wait would exceed this, in milliseconds, is closed. [L-9.11] */
export const longestWaitMs = 10_000;

/**
 * Two token buckets of one connection, for messages and bytes, as a generic cell rate algorithm
 * (ITU-T I.371). Each is a single number, the time at which it is full, so no timer is needed.
 * [L-9.10]
 */
export class RateGate {
  private messagesFullMs = 0;
  private bytesFullMs = 0;
  /** When everything refused so far may be sent again. */
  private owedUntilMs = 0;

  constructor(private readonly rate: InboundRate) {}

  /**
   * Returns 0 if a message of so many bytes, which counts as `messages`, may pass now, or else in
   * how many milliseconds. Each refusal's wait includes the refused messages before it: a client
   * that honors it is accepted on retry, one that does not gets ever longer waits. [L-9.11]
   */
  take(byteLength: number, now: number, messages = 1): number {
    const { messagesPerSecond, messageBurst, bytesPerSecond, byteBurst } = this.rate;
    const perMessageMs = 1_000 / messagesPerSecond;
    // A message weighing more than the burst would never pass otherwise.
    const messageMs = perMessageMs * Math.min(messages, messageBurst);
    const perByteMs = 1_000 / bytesPerSecond;
    const messagesFullMs = Math.max(this.messagesFullMs, now) + messageMs;
    const bytesFullMs = Math.max(this.bytesFullMs, now) + perByteMs * byteLength;
    const passesMs = Math.max(
      messagesFullMs - perMessageMs * messageBurst,
      bytesFullMs - perByteMs * byteBurst,
    );
    // Tolerance of half a microsecond, because sums of fractions are inexact.
    if (passesMs <= now + 0.000_5) {
      this.messagesFullMs = messagesFullMs;
      this.bytesFullMs = bytesFullMs;
      return 0;
    }
    const behindOthersMs =
      this.owedUntilMs > now ? this.owedUntilMs + Math.max(messageMs, perByteMs * byteLength) : now;
    this.owedUntilMs = Math.max(passesMs, behindOthersMs);
    return this.owedUntilMs - now;
  }

  /** Whether its state is that of a new gate, so that it can be dropped. */
  isFull(now: number): boolean {
    return this.messagesFullMs <= now && this.bytesFullMs <= now && this.owedUntilMs <= now;
  }
}

/** What the limits keep on a connection. */
export interface RatedConnection extends LiveConnection {
  /** Created with the first message. An idle connection has none. */
  gate: RateGate | undefined;
  /** Number of heartbeat pings without a pong. */
  pongsDue: number;
  /** Number of unsettled application calls on its behalf. [L-9.15] */
  openQuestions: number;
  pauseReading(): void;
}

/** Rate limit state shared by all connections of a server. */
export interface PaceContext {
  readonly clock: Clock;
  readonly observer: Pick<Observer, 'tooFast'>;
  /** Absent if inbound messages are not limited. */
  readonly inboundRate?: InboundRate | undefined;
}

/**
 * Returns the milliseconds until the peer may send this message, 0 for now. A peer far above its
 * rate is closed, and the result is Infinity. [L-9.10] [L-9.11]
 */
export function tooSoonMs(
  connection: RatedConnection,
  context: PaceContext,
  byteLength: number,
  messages = 1,
): number {
  const { inboundRate, clock, observer } = context;
  if (inboundRate === undefined || !connection.open) return 0;
  connection.gate ??= new RateGate(inboundRate);
  const waitMs = connection.gate.take(byteLength, clock.now(), messages);
  if (waitMs === 0) return 0;
  if (waitMs <= longestWaitMs) {
    observer.tooFast(connection, 'refused');
    return waitMs;
  }
  observer.tooFast(connection, 'closed');
  connection.close(CloseCode.tooManyViolations, CloseReason.tooFast);
  // Not even its close is worth reading, because it comes after everything else it sent.
  connection.pauseReading();
  return Infinity;
}

/**
 * Handles a pong. One that answers a heartbeat ping is free; any other counts as a message.
 * [L-9.12]
 */
export function takePong(connection: RatedConnection, context: PaceContext, byteLength: number): void {
  if (connection.pongsDue === 0) {
    tooSoonMs(connection, context, byteLength);
    return;
  }
  connection.pongsDue -= 1;
  // A peer that sends only pongs should cost no memory, so drop an unused gate here.
  if (connection.gate?.isFull(context.clock.now()) === true) connection.gate = undefined;
}

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

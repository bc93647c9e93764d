import type { InboundRate } from '../ports/limits.js';

/** A peer that would have to be told to wait for longer than this, in milliseconds, is closed. [L-9.11] */
export const longestWaitMs = 10_000;

/**
 * Two token buckets of one connection, messages and bytes, as the generic cell rate algorithm (ITU-T I.371) keeps them:
 * each is one number, the time at which it is full again, so nothing has to run while nothing comes. [L-9.10]
 */
export class RateGate {
  private messagesFullMs = 0;
  private bytesFullMs = 0;
  /** When what was refused so far may be sent again. */
  private owedUntilMs = 0;

  constructor(private readonly rate: InboundRate) {}

  /**
   * Returns 0 if a message of so many bytes, which counts as `messages`, may pass now, or else in how
   * many milliseconds. Each refusal's wait includes the refused messages before it: a client that
   * honors it is accepted on retry, one that does not gets ever longer waits. [L-9.11]
   */
  take(byteLength: number, now: number, messages = 1): number {
    const { messagesPerSecond, messageBurst, bytesPerSecond, byteBurst } = this.rate;
    const perMessageMs = 1_000 / messagesPerSecond;
    // One that counts as more than the burst would never pass.
    const messageMs = perMessageMs * Math.min(messages, messageBurst);
    const perByteMs = 1_000 / bytesPerSecond;
    const messagesFullMs = Math.max(this.messagesFullMs, now) + messageMs;
    const bytesFullMs = Math.max(this.bytesFullMs, now) + perByteMs * byteLength;
    const passesMs = Math.max(
      messagesFullMs - perMessageMs * messageBurst,
      bytesFullMs - perByteMs * byteBurst,
    );
    // Half a microsecond: sums of fractions are never exact.
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

  /** Whether it remembers nothing that matters any more. */
  isFull(now: number): boolean {
    return this.messagesFullMs <= now && this.bytesFullMs <= now && this.owedUntilMs <= now;
  }
}

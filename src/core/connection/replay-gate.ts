import type { ReplayRate } from '../ports/limits.js';

/** What one reading may turn out to hold, in bytes: nobody knows before. As much as is recovered at most. [L-5.4] */
export const replayReserveBytes = 1_048_576;

/** Milliseconds that those who were refused are kept apart at most. */
const maxApartMs = 30_000;

/**
 * A token bucket of bytes that are known only afterwards: whoever has any left may begin, and pays what it came to, so
 * that one answer of any size always goes out. What is under way is held against it. [L-9.18]
 */
export class ReplayGate {
  /** The time at which it is full again. */
  private fullMs = 0;
  /** When what was refused so far may be asked for again. */
  private owedUntilMs = 0;
  /** How long the last answer took to earn. */
  private lastMs = 0;
  private underWay = 0;

  constructor(private readonly rate: ReplayRate) {}

  /** 0 when another one may be asked for, or else in how many milliseconds: later for each that is refused. */
  refusedMs(now: number): number {
    const passesMs = this.fullMs - this.earnMs(this.rate.byteBurst);
    // Half a microsecond: sums of fractions are never exact.
    if (passesMs <= now + 0.000_5) return 0;
    const behindOthersMs = this.owedUntilMs > now ? this.owedUntilMs + this.lastMs : 0;
    this.owedUntilMs = Math.max(passesMs, Math.min(behindOthersMs, passesMs + maxApartMs));
    return this.owedUntilMs - now;
  }

  /** Begins one, unless those under way may use up what is left; every one that began must end. */
  begin(now: number): boolean {
    const owed = Math.max(0, this.fullMs - now) + this.earnMs((this.underWay + 1) * replayReserveBytes);
    if (this.underWay > 0 && owed > this.earnMs(this.rate.byteBurst)) return false;
    this.underWay += 1;
    return true;
  }

  end(byteLength: number, now: number): void {
    this.underWay -= 1;
    if (byteLength === 0) return;
    this.lastMs = this.earnMs(byteLength);
    this.fullMs = Math.max(this.fullMs, now) + this.lastMs;
  }

  /** Whether it remembers nothing that matters any more. */
  isFull(now: number): boolean {
    return this.underWay === 0 && this.fullMs <= now && this.owedUntilMs <= now;
  }

  private earnMs(byteLength: number): number {
    return (byteLength * 1_000) / this.rate.bytesPerSecond;
  }
}

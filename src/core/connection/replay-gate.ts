import type { ReplayRate } from '../ports/limits.js';

/**
 * Assumed size of one read in bytes, because it is unknown in advance: the maximum of a recovery.
 * [L-5.4]
 */
export const replayReserveBytes = 1_048_576;

/** Maximum time by which the waits of refused peers are spread, in milliseconds. */
const maxApartMs = 30_000;

/**
 * A token bucket of bytes known only afterwards. A peer with any budget left may start and pays the
 * result, so one answer of any size always fits. Reads in progress count against the budget.
 * [L-9.18]
 */
export class ReplayGate {
  /** Time at which the bucket is full again. */
  private fullMs = 0;
  /** Time at which everything refused so far may be requested again. */
  private owedUntilMs = 0;
  /** Time that the last answer took to earn. */
  private lastMs = 0;
  private underWay = 0;

  constructor(private readonly rate: ReplayRate) {}

  /**
   * Returns 0 if another read may be requested, or the wait in milliseconds. It grows with each
   * refusal.
   */
  refusedMs(now: number): number {
    const passesMs = this.fullMs - this.earnMs(this.rate.byteBurst);
    // Tolerance of half a microsecond, because sums of fractions are inexact.
    if (passesMs <= now + 0.000_5) return 0;
    const behindOthersMs = this.owedUntilMs > now ? this.owedUntilMs + this.lastMs : 0;
    this.owedUntilMs = Math.max(passesMs, Math.min(behindOthersMs, passesMs + maxApartMs));
    return this.owedUntilMs - now;
  }

  /** Starts a read, unless those in progress may use up the budget. Every started read must end. */
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

  /** Whether its state is that of a new gate, so that it can be dropped. */
  isFull(now: number): boolean {
    return this.underWay === 0 && this.fullMs <= now && this.owedUntilMs <= now;
  }

  private earnMs(byteLength: number): number {
    return (byteLength * 1_000) / this.rate.bytesPerSecond;
  }
}

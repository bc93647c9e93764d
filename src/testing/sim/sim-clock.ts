import type { Cancel } from '../../core/ports/clock.js';
import { TestClock } from '../test-clock.js';

/**
 * A `TestClock` that knows when its next timer is due, and whether a `soon` callback is waiting.
 */
export class SimClock extends TestClock {
  private readonly dueMs = new Map<number, number>();
  private lastId = 0;
  private soonCount = 0;

  /** When the next timer is due; infinite if there is none. */
  get nextMs(): number {
    let next = Infinity;
    for (const dueMs of this.dueMs.values()) if (dueMs < next) next = dueMs;
    return next;
  }

  get hasSoon(): boolean {
    return this.soonCount > 0;
  }

  override after(ms: number, run: () => void): Cancel {
    const id = ++this.lastId;
    this.dueMs.set(id, this.now() + Math.max(0, ms));
    const cancel = super.after(ms, () => {
      this.dueMs.delete(id);
      run();
    });
    return () => {
      this.dueMs.delete(id);
      cancel();
    };
  }

  override soon(run: () => void): void {
    this.soonCount += 1;
    super.soon(() => {
      this.soonCount -= 1;
      run();
    });
  }
}

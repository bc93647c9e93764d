import type { Cancel, Clock } from '../ports/clock.js';
import type { OutboundBudget } from '../ports/limits.js';

/** Interval of the age check, in milliseconds. */
const lookMs = 1_000;

/** Data that waits because one or several peers read too slowly. */
export interface Waiting {
  readonly bytes: number;
  /** Checks how long its data has waited. */
  look(nowMs: number): void;
  /** Drops data. With `must`, at least one byte, or the peer itself if there is no other way. */
  shed(must: boolean): void;
}

/** All data that waits for slow peers. Enforces its age and total size. [L-9.6] [L-9.16] */
export class Backlogs {
  /** Total bytes waiting. */
  bytes = 0;
  private readonly all = new Set<Waiting>();
  private cancelWatch: Cancel | undefined;
  private shedding = false;

  constructor(
    readonly budget: OutboundBudget,
    private readonly clock: Clock,
  ) {}

  /** Number of entries with waiting data. */
  get size(): number {
    return this.all.size;
  }

  add(backlog: Waiting): void {
    this.all.add(backlog);
    if (this.cancelWatch === undefined) this.watch();
  }

  remove(backlog: Waiting): void {
    this.all.delete(backlog);
    if (this.all.size > 0) return;
    this.cancelWatch?.();
    this.cancelWatch = undefined;
  }

  count(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes <= this.budget.maxQueuedBytesTotal || this.shedding) return;
    this.shedding = true;
    this.clock.soon(this.shedLargest);
  }

  private watch(): void {
    this.cancelWatch = this.clock.after(lookMs, () => {
      this.watch();
      const now = this.clock.now();
      for (const backlog of this.all) backlog.look(now);
    });
  }

  /**
   * The largest backlog is dropped first, so that one slow peer does not cost the others. [L-9.6]
   */
  private readonly shedLargest = (): void => {
    const byBytes = [...this.all].toSorted((one, other) => other.bytes - one.bytes);
    for (const backlog of byBytes) {
      if (this.bytes <= this.budget.maxQueuedBytesTotal) break;
      backlog.shed(true);
    }
    this.shedding = false;
  };
}

import type { Cancel, Clock } from '../ports/clock.js';
import type { OutboundBudget } from '../ports/limits.js';

/** Milliseconds between two looks at who is behind. */
const lookMs = 1_000;

/** What waits because of one peer that is behind, or of several. */
export interface Waiting {
  readonly bytes: number;
  /** A look at how long it has waited. */
  look(nowMs: number): void;
  /** Gives something up; where `must` is true, at least one byte, and the peer itself if nothing else will do. */
  shed(must: boolean): void;
}

/** All that waits because of peers: how old it grows, and what it comes to together. [L-9.6] [L-9.16] */
export class Backlogs {
  /** Bytes that wait in all of them. */
  bytes = 0;
  private readonly all = new Set<Waiting>();
  private cancelWatch: Cancel | undefined;
  private shedding = false;

  constructor(
    readonly budget: OutboundBudget,
    private readonly clock: Clock,
  ) {}

  /** How many have something waiting. */
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

  /** Who has most waiting pays first, so that one slow peer never costs the others. [L-9.6] */
  private readonly shedLargest = (): void => {
    const byBytes = [...this.all].toSorted((one, other) => other.bytes - one.bytes);
    for (const backlog of byBytes) {
      if (this.bytes <= this.budget.maxQueuedBytesTotal) break;
      backlog.shed(true);
    }
    this.shedding = false;
  };
}

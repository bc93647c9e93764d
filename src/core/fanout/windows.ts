import type { Flusher, Gathered } from '../outbound/flusher.js';
import type { Cancel, Clock } from '../ports/clock.js';

interface Window {
  readonly all: Gathered[];
  readonly cancel: Cancel;
}

/**
 * Windows in which topics gather what is published. All that are equally long end together, whichever topic they are of:
 * a connection that reads many topics is written to once for all of them. [L-4.9]
 */
export class Windows {
  private readonly open = new Map<number, Window>();

  constructor(
    private readonly clock: Clock,
    private readonly flusher: Flusher,
  ) {}

  /** Ends it with the window of this length that is open, or with a new one. A window of 0 ms is the rest of the tick. */
  add(ms: number, gathered: Gathered): void {
    if (ms === 0) {
      this.flusher.beforeWriting(gathered);
      return;
    }
    const window = this.open.get(ms);
    if (window !== undefined) window.all.push(gathered);
    else this.open.set(ms, { all: [gathered], cancel: this.clock.after(ms, () => this.end(ms)) });
  }

  /** Ends all of them now, but those of the tick, which is over soon. */
  endAll(): void {
    for (const [ms, { cancel }] of this.open) {
      cancel();
      this.end(ms);
    }
  }

  private end(ms: number): void {
    const { all } = this.open.get(ms) ?? { all: [] };
    this.open.delete(ms);
    for (const gathered of all) gathered.end();
  }
}

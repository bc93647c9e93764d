import type { Cancel, Clock } from '../ports/clock.js';

interface Window {
  readonly runs: (() => void)[];
  readonly cancel: Cancel;
}

/**
 * Windows in which topics gather what is published. All that are equally long end together, whichever topic they are of:
 * a connection that reads many topics is written to once for all of them. [L-4.9]
 */
export class Windows {
  private readonly open = new Map<number, Window>();

  constructor(private readonly clock: Clock) {}

  /** Runs at the end of the window of this length that is open, or opens one. */
  atEnd(ms: number, run: () => void): void {
    const window = this.open.get(ms);
    if (window !== undefined) window.runs.push(run);
    else this.open.set(ms, { runs: [run], cancel: this.clock.after(ms, () => this.end(ms)) });
  }

  /** Ends all of them now. */
  endAll(): void {
    for (const [ms, { cancel }] of this.open) {
      cancel();
      this.end(ms);
    }
  }

  private end(ms: number): void {
    const { runs } = this.open.get(ms) ?? { runs: [] };
    this.open.delete(ms);
    for (const run of runs) run();
  }
}

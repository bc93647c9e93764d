import type { Position } from '../../../src/protocol/position.js';

/** Consecutive publications. The first has the offset `start + 1`. */
export interface Segment {
  readonly epoch: string;
  readonly start: number;
  /** Whether it began without a report about what precedes it. */
  readonly untold?: true;
  /** Whether it continues the segment before it under another epoch of the same stream. */
  readonly continued?: true;
  /** The number in each publication. */
  readonly numbers: number[];
}

/** What one subscriber received of one topic, to compare with what was acknowledged. */
export class Heard {
  readonly segments: Segment[] = [];
  /** Descriptions of observations that no subscriber may make. */
  readonly faults: string[] = [];
  duplicates = 0;
  reorders = 0;
  /** How often a loss was reported to the subscriber. */
  reported = 0;
  private awaited: { readonly sinceMs: number; readonly came: (ms: number) => void } | undefined;

  get position(): Position | undefined {
    const last = this.segments.at(-1);
    return last && { epoch: last.epoch, offset: last.start + last.numbers.length };
  }

  /** Records a start or a fresh start. */
  starts({ epoch, offset }: Position): void {
    if (this.segments.length > 0) this.reported += 1;
    this.segments.push({ epoch, start: offset, numbers: [] });
  }

  /** The stream continues under another epoch, and nothing is missing. [L-5.14] */
  continues({ epoch, offset }: Position): void {
    const at = this.position;
    if (at === undefined || at.offset !== offset)
      this.faults.push(`goes on at ${String(offset)} after ${String(at?.offset)}`);
    this.segments.push({ epoch, start: offset, continued: true, numbers: [] });
  }

  /** Records that these publications will not arrive. */
  loses(from: number, to: number, count: number): void {
    const at = this.position;
    if (at === undefined || from !== at.offset + 1 || count !== to - from + 1)
      this.faults.push(
        `lost ${String(from)} to ${String(to)}, ${String(count)}, after ${String(at?.offset)}`,
      );
    else this.starts({ epoch: at.epoch, offset: to });
  }

  publication(offset: number, { n, at }: { readonly n: number; readonly at: number }): void {
    const { position } = this;
    if (position === undefined) this.faults.push(`event ${String(offset)} without a start`);
    else if (offset <= position.offset) this.duplicates += 1;
    else if (offset > position.offset + 1) {
      this.reorders += 1;
      this.segments.push({ epoch: position.epoch, start: offset - 1, untold: true, numbers: [n] });
    } else this.segments.at(-1)?.numbers.push(n);
    if (this.awaited === undefined || at < this.awaited.sinceMs) return;
    this.awaited.came(Date.now() - this.awaited.sinceMs);
    this.awaited = undefined;
  }

  /** Resolves with the milliseconds until a publication arrived that was made now or later. */
  liveAgain(): Promise<number> {
    return new Promise((came) => {
      this.awaited = { sinceMs: Date.now(), came };
    });
  }
}

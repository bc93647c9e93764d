import type { Position } from '../../../src/protocol/position.js';

/** Publications that came one after the other: the first stands at `start + 1`. */
export interface Segment {
  readonly epoch: string;
  readonly start: number;
  /** Whether it began without a word about what comes before it. */
  readonly untold?: true;
  /** Whether it goes on where the one before it ends, under another epoch of the same stream. */
  readonly continued?: true;
  /** What each of them said it was. */
  readonly numbers: number[];
}

/** What one subscriber heard of one topic, kept so that it can be held against what was acknowledged. */
export class Heard {
  readonly segments: Segment[] = [];
  /** What no subscriber may ever see, in words. */
  readonly faults: string[] = [];
  duplicates = 0;
  reorders = 0;
  /** How often it was told that something will not come. */
  told = 0;
  private awaited: { readonly sinceMs: number; readonly came: (ms: number) => void } | undefined;

  get position(): Position | undefined {
    const last = this.segments.at(-1);
    return last && { epoch: last.epoch, offset: last.start + last.numbers.length };
  }

  /** A start, or a new one. */
  starts({ epoch, offset }: Position): void {
    if (this.segments.length > 0) this.told += 1;
    this.segments.push({ epoch, start: offset, numbers: [] });
  }

  /** The stream goes on under another epoch, and nothing is missed. [L-5.14] */
  continues({ epoch, offset }: Position): void {
    const at = this.position;
    if (at === undefined || at.offset !== offset)
      this.faults.push(`goes on at ${String(offset)} after ${String(at?.offset)}`);
    this.segments.push({ epoch, start: offset, continued: true, numbers: [] });
  }

  /** These will not come. */
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

  /** Resolves with the milliseconds until something came that was published now or later. */
  liveAgain(): Promise<number> {
    return new Promise((came) => {
      this.awaited = { sinceMs: Date.now(), came };
    });
  }
}

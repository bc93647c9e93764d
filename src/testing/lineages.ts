import type { Position } from '../protocol/position.js';

interface Lineage {
  readonly epoch: string;
  /** Earlier epochs of the stream, each with the last offset that the stream still has. */
  readonly past: readonly Position[];
}

/**
 * The epochs of a test's topics. A stream may be lost, or be rolled back and continue under another
 * epoch.
 */
export class Lineages {
  private readonly byTopic = new Map<string, Lineage>();

  /** The topic's epoch; `undefined` if none was recorded yet. */
  epochOf(topic: string): string | undefined {
    return this.byTopic.get(topic)?.epoch;
  }

  /** Starts the stream as `epoch`, with nothing left of any earlier one. */
  begin(topic: string, epoch: string): void {
    this.byTopic.set(topic, { epoch, past: [] });
  }

  /** Continues the stream as `epoch`, with everything up to `end`. */
  goOn(topic: string, epoch: string, end: number): void {
    const before = this.byTopic.get(topic);
    if (before === undefined) return;
    const past = [...before.past, { epoch: before.epoch, offset: end }];
    // An older epoch keeps no more than the newer one that followed it.
    const cut = past.map((each) => ({ epoch: each.epoch, offset: Math.min(each.offset, end) }));
    this.byTopic.set(topic, { epoch, past: cut });
  }

  /** Whether the topic's stream, which ends at `top`, ever had a position. */
  has(topic: string, since: Position, top: Position): boolean {
    if (since.epoch === top.epoch) return since.offset <= top.offset;
    const past = this.byTopic.get(topic)?.past.find(({ epoch }) => epoch === since.epoch);
    return past !== undefined && since.offset <= past.offset;
  }
}

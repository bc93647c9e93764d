import type { Position } from '../protocol/position.js';

interface Lineage {
  readonly epoch: string;
  /** Epochs that the stream had before, each with the last offset of it that the stream still has. */
  readonly past: readonly Position[];
}

/** The epochs of a test's topics, whose streams may be lost, or go back and continue under another epoch. */
export class Lineages {
  private readonly byTopic = new Map<string, Lineage>();

  /** The topic's epoch; `undefined` while nobody has said which. */
  epochOf(topic: string): string | undefined {
    return this.byTopic.get(topic)?.epoch;
  }

  /** The topic's stream is `epoch`, and nothing of another one is left. */
  begin(topic: string, epoch: string): void {
    this.byTopic.set(topic, { epoch, past: [] });
  }

  /** The topic's stream goes on as `epoch`, and has what there was up to `end`. */
  goOn(topic: string, epoch: string, end: number): void {
    const before = this.byTopic.get(topic);
    if (before === undefined) return;
    const past = [...before.past, { epoch: before.epoch, offset: end }];
    // Of an older epoch the stream has no more than of the newer one that followed it.
    const cut = past.map((each) => ({ epoch: each.epoch, offset: Math.min(each.offset, end) }));
    this.byTopic.set(topic, { epoch, past: cut });
  }

  /** Whether a position is in the past of the topic's stream, whose end is `top`. */
  has(topic: string, since: Position, top: Position): boolean {
    if (since.epoch === top.epoch) return since.offset <= top.offset;
    const past = this.byTopic.get(topic)?.past.find(({ epoch }) => epoch === since.epoch);
    return past !== undefined && since.offset <= past.offset;
  }
}
